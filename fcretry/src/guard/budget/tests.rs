use super::*;

fn budget(limit: u64) -> Arc<TokenBudget> {
    Arc::new(TokenBudget::new(limit))
}

#[test]
fn what_is_reserved_is_settled_or_given_back() {
    let budget = budget(100);
    let reserve = || budget.reserve(Estimate::new(40, 20));
    drop(reserve().unwrap());
    assert_eq!(budget.spent(), 0);
    reserve().unwrap().settle(Usage::new(10, 5));
    assert_eq!(budget.spent(), 15);
    reserve().unwrap().keep();
    assert_eq!((budget.spent(), budget.left()), (75, 25));
    let over = reserve().unwrap_err();
    assert_eq!(over, OverBudget { limit: 100, spent: 75, asked: 60 });
    assert_eq!(budget.spent(), 75);
}

#[test]
fn what_fits_to_the_token_fits() {
    let budget = budget(100);
    budget.reserve(100.into()).unwrap().keep();
    assert!(budget.reserve(1.into()).is_err());
    assert!(budget.reserve(0.into()).is_ok());
}

#[test]
fn what_is_spent_is_spent_at_every_level_and_what_is_refused_at_none() {
    let outer = budget(100);
    let inner = Arc::new(TokenBudget::within(80, Arc::clone(&outer)));
    inner.reserve(50.into()).unwrap().settle(Usage::new(30, 30));
    assert_eq!((inner.spent(), outer.spent()), (60, 60));
    outer.reserve(30.into()).unwrap().keep();
    // The inner one has room for it.
    assert_eq!(inner.reserve(15.into()).unwrap_err().limit, 100);
    assert_eq!((inner.spent(), outer.spent(), inner.left()), (60, 90, 10));
}

#[test]
fn a_usage_beyond_all_bounds_does_not_wrap() {
    let budget = budget(100);
    budget.reserve(50.into()).unwrap().settle(Usage::new(u64::MAX, u64::MAX));
    assert_eq!((budget.spent(), budget.left()), (u64::MAX, 0));
    assert!(budget.reserve(1.into()).is_err());
}

#[test]
fn threads_do_not_pass_it_together() {
    let budget = budget(1000);
    let taken: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..1000)
                        .filter(|_| budget.reserve(1.into()).map(Reservation::keep).is_ok())
                        .count() as u64
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((taken, budget.spent()), (1000, 1000));
}

#[test]
fn money_is_counted_to_the_pico_dollar() {
    let usd = |usd| Cost::from_usd(usd).unwrap();
    let budget = Arc::new(CostBudget::new(usd(0.05)));
    budget.reserve(usd(0.03)).unwrap().settle(usd(0.010_000_000_001));
    assert_eq!(budget.left(), usd(0.039_999_999_999));
    let over = budget.reserve(usd(0.04)).unwrap_err();
    assert_eq!(
        over.to_string(),
        "up to $0.04 more than $0.010000000001 is over the $0.05 of the budget"
    );
    budget.reserve(budget.left()).unwrap().keep();
    assert_eq!(budget.left(), Cost::ZERO);
}
