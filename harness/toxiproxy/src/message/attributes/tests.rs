use super::*;

#[test]
fn no_type_takes_two_attributes_of_one_name() {
    for known in &TYPES {
        let names: Vec<_> = known.attributes().map(|attribute| attribute.name).collect();
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), names.len(), "{}", known.name);
    }
}
