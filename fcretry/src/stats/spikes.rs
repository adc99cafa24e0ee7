use crate::cost::Cost;

/// How many other minutes must have cost something before one can stand out.
const LEAST: usize = 5;
/// How many times their median is a spike.
const TIMES: u128 = 3;

/// Which minutes cost much more than the others.
pub(super) fn are_spikes(costs: &[Cost]) -> Vec<bool> {
    let mut sorted: Vec<_> = costs.iter().copied().filter(|cost| *cost > Cost::ZERO).collect();
    sorted.sort_unstable();
    costs.iter().map(|cost| stands_out(*cost, &sorted)).collect()
}

/// Whether `cost` is a spike among those that are `sorted`, of which it is one.
fn stands_out(cost: Cost, sorted: &[Cost]) -> bool {
    let others = sorted.len().saturating_sub(1);
    if others < LEAST {
        return false;
    }
    let own = sorted.partition_point(|other| *other < cost);
    let other = |place: usize| sorted.get(place + usize::from(place >= own)).copied();
    let (Some(low), Some(high)) = (other((others - 1) / 2), other(others / 2)) else {
        return false;
    };
    let both = u128::from(low.picos()) + u128::from(high.picos());
    u128::from(cost.picos()) * 2 > both * TIMES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spikes(costs: &[u64]) -> Vec<usize> {
        let costs: Vec<_> = costs.iter().map(|picos| Cost::from_picos(*picos)).collect();
        let marked = are_spikes(&costs).into_iter().enumerate();
        marked.filter(|(_, is_spike)| *is_spike).map(|(place, _)| place).collect()
    }

    #[test]
    fn a_minute_that_costs_more_than_three_times_the_median_of_the_others_is_a_spike() {
        assert_eq!(spikes(&[10, 12, 9, 31, 10, 11, 10]), [3]);
        assert_eq!(spikes(&[10, 12, 9, 30, 10, 11, 10]), [0; 0], "three times is not more");
        assert_eq!(spikes(&[10, 50, 10, 10, 60, 10, 10]), [1, 4]);
        assert_eq!(spikes(&[10, 20, 10, 20, 10, 20, 46]), [6], "of an even number: between");
    }

    #[test]
    fn few_minutes_and_those_without_cost_say_nothing() {
        assert_eq!(spikes(&[1, 1, 1, 1, 100]), [0; 0]);
        assert_eq!(spikes(&[0, 0, 0, 0, 0, 0, 0, 100]), [0; 0]);
        assert_eq!(spikes(&[]), [0; 0]);
        assert_eq!(spikes(&[u64::MAX; 7]), [0; 0]);
    }
}
