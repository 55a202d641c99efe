//! How much of a client's text is kept.

/// No captured text is longer, in bytes: paths, queries and user agents of people are shorter, and
/// whoever sends more must neither fill the queues nor make a batch too large for a collector.
pub(crate) const MAX_CAPTURED: usize = 1024;

/// The beginning of the text, cut between characters.
pub(crate) fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_CAPTURED)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters_and_short_text_is_left_alone() {
        assert_eq!(clip("/orders"), "/orders");
        let long = "é".repeat(MAX_CAPTURED);
        assert_eq!(clip(&long).len(), MAX_CAPTURED);
        let odd = format!("x{long}");
        assert_eq!(clip(&odd).len(), MAX_CAPTURED - 1);
    }
}
