use super::*;

fn auto(break_clients: bool) -> Plan {
    Plan::Auto { token: "t".to_owned(), steps: "steps".to_owned(), break_clients, major_upgrade: false }
}

#[test]
fn a_plan_of_the_other_kind_is_not_published() {
    assert_eq!(policy(auto(false), ModuleUpdate::Additive), Ok(Policy::Compatible));
    assert_eq!(policy(auto(true), ModuleUpdate::Breaking), Ok(Policy::BreakClients("t".to_owned())));
    assert!(policy(auto(true), ModuleUpdate::Additive).is_err_and(|why| why.contains("close all clients")));
    assert!(policy(auto(false), ModuleUpdate::Breaking).is_err_and(|why| why.contains("close no client")));
    let by_hand = || Plan::Manual("a column".to_owned());
    for update in [ModuleUpdate::Additive, ModuleUpdate::Breaking] {
        assert!(policy(by_hand(), update).is_err_and(|why| why.contains("by hand: a column")));
        assert_eq!(policy(Plan::NoPlans, update), Ok(Policy::Unsaid));
    }
}
