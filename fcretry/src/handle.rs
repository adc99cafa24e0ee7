//! Owned handles of what calls share.

use std::{fmt, ops::Deref, sync::Arc, sync::LazyLock};

/// An owned, cheap handle of something that calls share, such as an [`Observer`](crate::Observer). Made by
/// [`Attach::handle`] when a call begins, so that nothing of the caller's stays borrowed while it runs.
pub struct Handle<G: ?Sized + 'static>(Held<G>);

enum Held<G: ?Sized + 'static> {
    Static(&'static G),
    Shared(Arc<G>),
}

impl<G: ?Sized> Handle<G> {
    /// A handle of what lives as long as the program.
    pub const fn of_static(held: &'static G) -> Self {
        Self(Held::Static(held))
    }

    /// A handle of what is counted.
    pub const fn of_shared(held: Arc<G>) -> Self {
        Self(Held::Shared(held))
    }
}

impl<G: ?Sized> Deref for Handle<G> {
    type Target = G;

    fn deref(&self) -> &G {
        match &self.0 {
            Held::Static(held) => held,
            Held::Shared(held) => held,
        }
    }
}

impl<G: ?Sized> Clone for Handle<G> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Held::Static(held) => Held::Static(held),
            Held::Shared(held) => Held::Shared(Arc::clone(held)),
        })
    }
}

impl<G: ?Sized> fmt::Debug for Handle<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// What can be attached to a call as a `G`: a reference to a `static`, to a `LazyLock` that is one, to an `Arc`, or to such a
/// reference. What follows `G` says by which of these ways; it is always inferred.
///
/// ```
/// use std::sync::{Arc, LazyLock};
/// use fcretry::{Attach, Observer};
///
/// struct Log;
/// impl Observer for Log {}
///
/// static LOG: Log = Log;
/// static LAZY: LazyLock<Log> = LazyLock::new(|| Log);
///
/// fn takes<By>(_: impl Attach<dyn Observer, By>) {}
///
/// let shared = Arc::new(Log);
/// let opaque: Arc<dyn Observer> = shared.clone();
/// takes(&LOG);
/// takes(&LAZY);
/// takes(&shared);
/// takes(&&opaque);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be attached to a call",
    label = "neither a `static`, nor an `Arc`, nor a reference to one of them, that holds a `{G}`",
    note = "what a call is given is kept until it ends: name a `static`, a `static` `LazyLock`, or an `Arc`"
)]
pub trait Attach<G: ?Sized + 'static, By> {
    /// The handle.
    fn handle(self) -> Handle<G>;
}

/// The ways in which something is attached. Each has a type of its own, so that they cannot contradict each other.
#[doc(hidden)]
pub mod by {
    use std::marker::PhantomData;

    #[derive(Debug)]
    pub struct Static;
    #[derive(Debug)]
    pub struct StaticDyn;
    #[derive(Debug)]
    pub struct Shared;
    #[derive(Debug)]
    pub struct SharedDyn;
    #[derive(Debug)]
    pub struct Lazy<By>(PhantomData<By>);
    #[derive(Debug)]
    pub struct Reference<By>(PhantomData<By>);
}

impl<G: ?Sized + 'static, T, F: FnOnce() -> T, By> Attach<G, by::Lazy<By>>
    for &'static LazyLock<T, F>
where
    &'static T: Attach<G, By>,
{
    fn handle(self) -> Handle<G> {
        LazyLock::force(self).handle()
    }
}

impl<'a, G: ?Sized + 'static, T: ?Sized, By> Attach<G, by::Reference<By>> for &&'a T
where
    &'a T: Attach<G, By>,
{
    fn handle(self) -> Handle<G> {
        (*self).handle()
    }
}

/// Says of a trait that what implements it can be attached as one.
macro_rules! attach_as_dyn {
    ($trait:ident) => {
        impl<T: $trait> $crate::handle::Attach<dyn $trait, $crate::handle::by::Static>
            for &'static T
        {
            fn handle(self) -> $crate::handle::Handle<dyn $trait> {
                $crate::handle::Handle::of_static(self)
            }
        }

        impl $crate::handle::Attach<dyn $trait, $crate::handle::by::StaticDyn>
            for &'static dyn $trait
        {
            fn handle(self) -> $crate::handle::Handle<dyn $trait> {
                $crate::handle::Handle::of_static(self)
            }
        }

        impl<T: $trait + 'static> $crate::handle::Attach<dyn $trait, $crate::handle::by::Shared>
            for &::std::sync::Arc<T>
        {
            fn handle(self) -> $crate::handle::Handle<dyn $trait> {
                $crate::handle::Handle::of_shared(::std::sync::Arc::<T>::clone(self))
            }
        }

        impl $crate::handle::Attach<dyn $trait, $crate::handle::by::SharedDyn>
            for &::std::sync::Arc<dyn $trait>
        {
            fn handle(self) -> $crate::handle::Handle<dyn $trait> {
                $crate::handle::Handle::of_shared(::std::sync::Arc::clone(self))
            }
        }
    };
}
pub(crate) use attach_as_dyn;

/// Says of a type that what is of it can be attached as itself.
macro_rules! attach_as_itself {
    ($type:ident) => {
        impl $crate::handle::Attach<$type, $crate::handle::by::Static> for &'static $type {
            fn handle(self) -> $crate::handle::Handle<$type> {
                $crate::handle::Handle::of_static(self)
            }
        }

        impl $crate::handle::Attach<$type, $crate::handle::by::Shared>
            for &::std::sync::Arc<$type>
        {
            fn handle(self) -> $crate::handle::Handle<$type> {
                $crate::handle::Handle::of_shared(::std::sync::Arc::clone(self))
            }
        }
    };
}
pub(crate) use attach_as_itself;
