use super::*;

#[test]
fn a_second_allows_the_limit_and_the_next_second_as_many_again() {
    let (mut window, start) = (RateWindow::default(), Instant::now());
    let allowed = |window: &mut RateWindow, at| (0..5).filter(|_| window.take(3, at)).count();
    assert_eq!(allowed(&mut window, start), 3);
    assert_eq!(allowed(&mut window, start + Duration::from_millis(999)), 0);
    assert_eq!(allowed(&mut window, start + Duration::from_millis(1000)), 3);
}

#[test]
fn no_limit_allows_all() {
    let mut window = RateWindow::default();
    assert!((0..1000).all(|_| window.take(0, Instant::now())));
}
