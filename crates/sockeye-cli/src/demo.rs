//! `sockeye demo`.
pub(crate) fn demo() -> anyhow::Result<i32> {
    anyhow::bail!("not there yet")
}
