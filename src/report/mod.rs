//! x
/// x
pub fn night(_: &crate::evidence::Night<'_>) -> Vec<u8> {
    Vec::new()
}
/// x
pub fn failed_night(_: &crate::evidence::FailedNight<'_>) -> Vec<u8> {
    Vec::new()
}
