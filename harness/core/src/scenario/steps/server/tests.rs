use super::*;

#[test]
fn the_documentation_names_every_word() {
    let words = ACTIONS.iter().chain(KILLS).map(|(word, _)| word);
    for word in words.chain(words::SERVERS.iter().map(|(word, _)| word)) {
        assert!(KIND.what.contains(&format!("`{word}`")), "{word}");
    }
}
