//! The bar that shows when a span ran.

/// `width` columns stand for `total` nanoseconds; a span gets at least one of them. No trailing
/// blanks.
pub(super) fn draw(offset: u64, length: u64, total: u64, width: usize) -> String {
    let (width_wide, total) = (width as u128, u128::from(total.max(1)));
    let column = |nanos: u64| {
        usize::try_from(u128::from(nanos) * width_wide / total)
            .unwrap_or(width)
            .min(width)
    };
    let first = column(offset).min(width.saturating_sub(1));
    let end = column(offset.saturating_add(length)).max(first + 1);
    format!("{}{}", " ".repeat(first), "█".repeat(end - first))
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn a_bar_is_proportional_and_never_empty() {
        assert_eq!(draw(0, 100, 100, 10), "██████████");
        assert_eq!(draw(50, 25, 100, 8), "    ██");
        assert_eq!(draw(100, 0, 100, 10), "         █");
        assert_eq!(draw(0, 0, 0, 10), "█");
        assert_eq!(draw(u64::MAX, u64::MAX, 1, 3), "  █");
    }
}
