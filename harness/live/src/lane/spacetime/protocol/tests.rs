#![allow(clippy::unwrap_used)]

use super::super::tests::recording::all;
use super::*;

const PROTOCOLS: [Protocol; 3] = [Protocol::V1, Protocol::V2, Protocol::V3];

fn newer(message: &ServerMessage) -> bool {
    matches!(message, Versioned::Newer(_))
}

#[test]
fn a_message_of_a_kind_that_only_a_newer_server_has_is_kept_as_it_came() {
    for protocol in PROTOCOLS {
        for kind in [12, 31] {
            let frame = [0, kind, 7, 7, 7];
            let messages = decode_server(protocol, &frame).unwrap();
            assert!(messages.len() == 1 && newer(&messages[0]), "{protocol:?}");
            assert_eq!(&encode_server(&messages, Compressed::None).unwrap()[..], &frame);
        }
    }
}

#[test]
fn messages_before_an_unknown_one_in_a_frame_are_read() {
    for (_, protocol, rows) in all() {
        let Some(row) = rows.iter().find(|row| decode_server(protocol, &row.bytes()).is_ok_and(|all| all.len() == 1))
        else {
            continue;
        };
        let known = decode_server(protocol, &row.bytes()).unwrap();
        let mut frame = encode_server(&known, Compressed::None).unwrap().to_vec();
        frame.extend([20, 1, 2, 3]);
        match protocol {
            Protocol::V3 => {
                let messages = decode_server(protocol, &frame).unwrap();
                assert!(messages.len() == 2 && !newer(&messages[0]) && newer(&messages[1]));
            }
            // Elsewhere a frame is one message.
            _ => assert!(decode_server(protocol, &frame).is_err()),
        }
    }
}

#[test]
fn garbage_is_no_message_of_a_newer_server() {
    for protocol in PROTOCOLS {
        // No kind, a kind that is there with a body that is cut short, no compression, and nothing.
        for garbage in [&[0, 255, 1][..], &[0, 32], &[0, 0, 1], &[7, 12, 1], &[0], &[]] {
            assert!(decode_server(protocol, garbage).is_err(), "{protocol:?} {garbage:?}");
        }
    }
}
