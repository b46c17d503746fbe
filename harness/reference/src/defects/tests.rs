#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn every_name_is_read_back() {
    for defect in Defect::ALL {
        assert!(Defects::parse(defect.name()).unwrap().has(*defect));
    }
    let all = Defects::parse(&Defect::NAMES.join(" , ")).unwrap();
    assert_eq!(all.to_string(), Defect::NAMES.join(","));
}

#[test]
fn an_unknown_name_is_refused_with_the_known_ones() {
    let error = Defects::parse("drop-event,drop-evnt").unwrap_err().to_string();
    assert!(error.contains("`drop-evnt`") && error.contains("drop-event"), "{error}");
}
