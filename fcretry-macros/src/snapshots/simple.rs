async fn extract(email: &str) -> Result<usize> {
    let mut __call = ::fcretry::__private::Call::of(
        {
            static __POLICY: ::fcretry::__private::StaticPolicy = ::fcretry::__private::StaticPolicy::new(||
            { ::fcretry::__private::RetryPolicy::builder().build() });
            &__POLICY
        },
        ::core::concat!(::core::module_path!(), "::", "extract"),
        false,
    );
    loop {
        let __wait = {
            let __round = __call.begin();
            let __driven = __round
                .drive(async {
                    if false {
                        fn __never<T>() -> T {
                            loop {}
                        }
                        return __never::<Result<usize>>();
                    }
                    match () {
                        () => Ok(email.len()),
                    }
                })
                .await;
            match ::fcretry::__private::settle::<Result<usize>>(&mut __call, __driven) {
                ::core::ops::ControlFlow::Break(__result) => return __result,
                ::core::ops::ControlFlow::Continue(__wait) => __wait,
            }
        };
        __call.wait(__wait).await;
    }
}
