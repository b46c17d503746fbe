//! Links between pages.

use std::collections::BTreeSet;
use std::path::Path;

use super::none;
use super::sources::{ALL, Source, is_word, read, root};

#[test]
fn links_of_pages_lead_somewhere() {
    let mut places = Vec::new();
    for page in ALL.iter().filter(|source| source.has_ending(&[".md"])) {
        for (number, target) in links(page) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let folder = Path::new(&page.path).parent().unwrap();
            let path = if file.is_empty() { page.path.clone() } else { folder.join(file).to_str().unwrap().to_owned() };
            let leads = root().join(&path).exists() && (anchor.is_empty() || anchors(&read(&path)).contains(anchor));
            if !leads {
                places.push(format!("{}: {target}", page.at(number)));
            }
        }
    }
    none(&places, "Mend the link: the file or the heading has another name.");
}

#[test]
fn the_readme_names_every_page() {
    let readme = read("README.md");
    let pages = ALL.iter().filter(|source| source.path.starts_with("docs/"));
    let missing = pages.filter(|page| !readme.contains(&format!("({})", page.path)));
    let missing: Vec<String> = missing.map(|page| page.path.clone()).collect();
    none(&missing, "Add a link to README.md, \"The other pages\".");
}

/// The targets of a page's links, outside code, with their lines.
fn links(page: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (number, line) in page.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        let outside: String = line.split('`').step_by(2).collect();
        for rest in outside.split("](").skip(1).filter(|_| !in_block) {
            found.extend(rest.split_once(')').map(|(target, _)| (number, target.to_owned())));
        }
    }
    found
}

/// The anchors of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|c| is_word(*c) || *c == '-').collect()
    };
    headings.map(anchor).collect()
}
