//! How much memory a reading takes.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What any reading may take: a log of recoveries, a list of violations and their pointers.
const BASE: usize = 1 << 20;

/// What each byte of the text may add. `1,` becomes a value of 72 bytes, and a list of values that has to grow is
/// there twice.
const PER_BYTE: usize = 160;

/// Does something with `text` and says if it took more than a small multiple of its length. What is made once, and kept,
/// is not there the second time.
pub(crate) fn bounded<R>(text: &str, act: impl Fn() -> R) -> Result<R, String> {
    let mut took = 0;
    for _ in 0..2 {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let result = act();
        took = ALLOCATOR.peak_usage().saturating_sub(before);
        if took <= BASE + PER_BYTE * text.len() {
            return Ok(result);
        }
    }
    Err(format!("too much memory: {took} bytes for {}", text.len()))
}
