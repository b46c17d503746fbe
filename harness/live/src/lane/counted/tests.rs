use super::*;

#[test]
fn interim_answers_are_left_out_however_many_there_are() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    for (rest, more) in [
        ("", true),
        ("HTTP/1.1 101 Swi", true),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}x", false),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", false),
        ("no http", false),
    ] {
        let mut head = format!("{interim}{rest}").into_bytes();
        assert_eq!(skip_interim(&mut head), more, "{rest}");
        assert_eq!(head, rest.as_bytes());
    }
}
