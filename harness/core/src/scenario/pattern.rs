//! Globs for names: `*` is any run of characters, `?` any one.

pub fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut at_glob, mut at_name) = (0, 0);
    // Where the last star stands and how much of the name it has taken: on a mismatch it takes one more.
    let mut star = None;
    while at_name < name.len() {
        match glob.get(at_glob) {
            Some('*') => {
                star = Some((at_glob, at_name));
                at_glob += 1;
            }
            Some(c) if *c == '?' || *c == name[at_name] => {
                at_glob += 1;
                at_name += 1;
            }
            _ => match star {
                Some((at_star, taken)) => {
                    star = Some((at_star, taken + 1));
                    at_glob = at_star + 1;
                    at_name = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob[at_glob..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests;
