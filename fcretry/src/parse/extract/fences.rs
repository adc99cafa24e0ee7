/// The runs of backticks in a text that no later one is as long as: what they say of each mark is whether it comes again.
/// To look for a mark that does not, each time to the end of the text, would take more than linear time.
pub(super) struct Fences(Vec<(usize, usize)>);

impl Fences {
    pub(super) fn of(text: &str) -> Self {
        let mut longest: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        while let Some(start) = text.get(at..).and_then(|rest| rest.find('`')) {
            let start = at + start;
            let rest = text.get(start..).unwrap_or_default();
            let marks = rest.len() - rest.trim_start_matches('`').len();
            while longest.last().is_some_and(|(_, before)| *before <= marks) {
                longest.pop();
            }
            longest.push((start, marks));
            at = start + marks;
        }
        Self(longest)
    }

    /// Whether so many marks come together from `at` on, which is in no run.
    pub(super) fn recur(&self, at: usize, marks: usize) -> bool {
        let next = self.0.partition_point(|(start, _)| *start < at);
        self.0.get(next).is_some_and(|(_, longest)| *longest >= marks)
    }
}
