use super::{ledger::MAX_PLACES, *};

const SETTINGS: Settings = Settings { half_life: HALF_LIFE, second: 0.0 };
const KIND: FailureKind = FailureKind::SchemaValidation;
const REPAIR: Alternative = Alternative { action: Action::Repair, nth: 1 };
const FALLBACK: Alternative = Alternative { action: Action::Fallback, nth: 1 };

fn took(picos: u64) -> Took {
    Took::of(Some(Cost::from_picos(picos)), 10, Duration::from_secs(1))
}

struct Scene {
    ledger: Ledger,
    now: Instant,
    settings: Settings,
}

impl Scene {
    fn new() -> Self {
        Self { ledger: Ledger::default(), now: Instant::now(), settings: SETTINGS }
    }

    fn see(&mut self, way: Alternative, times: u32, succeeded: bool, took: Took) {
        for _ in 0..times {
            let of = Some(Branch::new(0, KIND, way));
            self.ledger.observe(
                of,
                Trial::No,
                Some(succeeded),
                Some(took),
                self.now,
                self.settings,
            );
        }
    }

    /// What is taken if nothing is tried out.
    fn choose(&mut self) -> usize {
        let open = [REPAIR, FALLBACK];
        self.ledger.choose(0, KIND, &open, self.now, self.settings, &mut || 0.99).index
    }
}

#[tokio::test(start_paused = true)]
async fn the_order_of_the_rule_is_left_only_for_what_is_known_to_be_better() {
    let mut scene = Scene::new();
    assert_eq!(scene.choose(), 0);
    // Nine of nine are not enough, whatever the rule's first does.
    scene.see(REPAIR, 100, false, took(100));
    scene.see(FALLBACK, 9, true, took(100));
    assert_eq!(scene.choose(), 0);
    scene.see(FALLBACK, 30, true, took(100));
    assert_eq!(scene.choose(), 1);
    // As good as that: not surely better.
    let mut scene = Scene::new();
    scene.see(REPAIR, 50, true, took(100));
    scene.see(FALLBACK, 50, true, took(99));
    assert_eq!(scene.choose(), 0);
    // Surely cheaper.
    let mut scene = Scene::new();
    scene.see(REPAIR, 50, true, took(100));
    scene.see(FALLBACK, 50, true, took(50));
    assert_eq!(scene.choose(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_costs_nothing_and_never_helps_is_not_better() {
    let mut scene = Scene::new();
    scene.see(REPAIR, 50, true, took(100));
    scene.see(FALLBACK, 50, false, took(0));
    assert_eq!(scene.choose(), 0);
    // Nor what is cheap, and right too seldom: who goes there does not come back.
    scene.see(FALLBACK, 50, true, took(1));
    assert_eq!(scene.choose(), 0);
}

#[tokio::test(start_paused = true)]
async fn evidence_fades_by_half_in_each_half_life() {
    let mut scene = Scene::new();
    scene.see(REPAIR, 100, false, took(100));
    scene.see(FALLBACK, 40, true, took(100));
    assert_eq!(scene.choose(), 1);
    scene.now += HALF_LIFE;
    let cells: Vec<_> = scene
        .ledger
        .place("m")
        .into_iter()
        .flat_map(|_| {
            scene
                .ledger
                .cells(scene.now, SETTINGS)
                .map(|(_, branch, cell)| (branch.action, cell.weight()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(
        cells.contains(&(Action::Fallback, 20.0)) && cells.contains(&(Action::Repair, 50.0)),
        "{cells:?}"
    );
    scene.now += 3 * HALF_LIFE;
    assert_eq!(scene.choose(), 0, "too little is left of it");
}

#[tokio::test(start_paused = true)]
async fn a_second_is_worth_what_was_said() {
    let mut scene = Scene::new();
    let slow = Took::of(Some(Cost::from_picos(100)), 10, Duration::from_secs(20));
    scene.see(REPAIR, 100, true, slow);
    scene.see(FALLBACK, 100, true, took(150));
    assert_eq!(scene.choose(), 0);
    scene.settings.second = 10.0;
    assert_eq!(scene.choose(), 1);
}

#[tokio::test(start_paused = true)]
async fn where_a_price_is_not_known_tokens_are_compared() {
    let mut scene = Scene::new();
    scene.see(REPAIR, 100, true, Took::of(None, 100, Duration::ZERO));
    scene.see(FALLBACK, 100, true, Took::of(Some(Cost::from_picos(9)), 200, Duration::ZERO));
    assert_eq!(scene.choose(), 0);
    let mut scene = Scene::new();
    scene.see(REPAIR, 100, true, Took::of(None, 200, Duration::ZERO));
    scene.see(FALLBACK, 100, true, Took::of(Some(Cost::from_picos(9)), 100, Duration::ZERO));
    assert_eq!(scene.choose(), 1);
}

#[tokio::test(start_paused = true)]
async fn trials_take_no_more_than_their_share() {
    let mut scene = Scene::new();
    let open = [REPAIR, FALLBACK];
    let (mut spent, mut trials) = (0, 0);
    for _ in 0..5000 {
        // Whenever it may.
        let chosen = scene.ledger.choose(0, KIND, &open, scene.now, SETTINGS, &mut || 0.0);
        let price = if chosen.is_trial { 400 } else { 100 };
        spent += price;
        trials += if chosen.is_trial { price } else { 0 };
        let way = open[chosen.index];
        let of = Some(Branch::new(0, KIND, way));
        let trial = if chosen.is_trial { Trial::Begins } else { Trial::No };
        if chosen.is_trial {
            scene.ledger.begin_trial();
        }
        scene.ledger.observe(
            of,
            trial,
            Some(!chosen.is_trial),
            Some(took(price)),
            scene.now,
            SETTINGS,
        );
    }
    // Until enough is known of it.
    assert!(trials >= 20 * 400 && trials * 50 <= spent + 50 * 400, "{trials} of {spent}");
}

#[tokio::test(start_paused = true)]
async fn models_beyond_those_that_are_kept_go_by_their_rules() {
    let adaptive = Adaptive::new();
    for model in 0..2 * MAX_PLACES {
        let model = model.to_string();
        let mut adviser = adaptive.adviser(&model, KIND, fastrand::Rng::with_seed(1));
        assert_eq!(adviser.choose(&[REPAIR]), 0);
        let followed = adviser.followed(Action::Repair);
        adaptive.observe(followed, Trial::No, Some(true), Some(took(1)));
    }
    assert_eq!(adaptive.snapshot().len(), MAX_PLACES);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_instead_is_learned_of() {
    let adaptive = Adaptive::new();
    let adviser = || {
        let mut adviser = adaptive.adviser("m", KIND, fastrand::Rng::with_seed(1));
        adviser.choose(&[REPAIR, FALLBACK]);
        adviser
    };
    // No time was left for a repair, or no attempt but one.
    let followed = adviser().followed(Action::Fallback).unwrap();
    assert_eq!(followed.branch.action, Action::Fallback);
    assert!(adviser().followed(Action::Fail).is_none());
}
