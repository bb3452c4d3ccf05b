//! The vectors of `client`, in every chunking.

use super::super::comport::NO_PARITY;
use super::*;

fn answers(commands: &[Command]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for command in commands {
        command.write(From::Server, &mut bytes);
    }
    bytes
}

fn agreed() -> Client {
    let mut client = Client::new();
    client.receive(b"\xFF\xFD\x2C");
    assert_eq!(client.com_port(), ComPort::Agreed);
    client.sent(client.output().len());
    client
}

#[test]
fn the_first_bytes_are_a_negotiation_and_each_answer_decides() {
    let client = Client::new();
    assert_eq!(client.output()[..3], *b"\xFF\xFB\x2C");
    assert_eq!(client.com_port(), ComPort::Asked);
    for (answer, com_port) in [
        (&b"\xFF\xFD\x2C"[..], ComPort::Agreed),
        (b"\xFF\xFB\x2C", ComPort::Agreed),
        (b"\xFF\xFE\x2C", ComPort::Refused),
        (b"\xFF\xFD\x2C\xFF\xFE\x2C", ComPort::Refused),
        (b"\xFF\xFD\x00\xFF\xFB\x01", ComPort::Asked),
        (b"\xFF\xFB\x2C\xFF\xFA\x2C\x01\x00\x00\x00\x00\xFF\xF0", ComPort::Echoes),
    ] {
        let mut client = Client::new();
        client.receive(answer);
        assert_eq!(client.com_port(), com_port, "{answer:x?}");
    }
}

#[test]
fn the_answers_of_the_server_are_held_against_the_last_request() {
    let mut client = agreed();
    client.ask();
    client.set(Settings::seven_even(300));
    client.receive(&answers(&[
        Command::BaudRate(115_200),
        Command::BaudRate(300),
        Command::DataSize(7),
        Command::Parity(EVEN),
    ]));
    assert_eq!((client.first_rate(), client.questions_answered()), (Some(115_200), 1));
    assert!(client.has_seven_even() && client.other_rate().is_none());
    client.set(Settings::eight_none(9600));
    client.set(Settings::eight_none(19_200));
    assert_eq!(client.answered(), Answered::default());
    client.receive(&answers(&[Command::BaudRate(9600), Command::DataSize(7)]));
    assert_eq!(client.answered(), Answered::default(), "that was about the request before");
    client.receive(&answers(&[Command::BaudRate(9600), Command::DataSize(7), Command::Parity(NO_PARITY)]));
    assert_eq!(client.other_rate(), Some(9600));
}

#[test]
fn another_rate_and_a_missing_bit_are_noticed() {
    let mut client = agreed();
    client.set(Settings::eight_none(9600));
    client.receive(&answers(&[Command::BaudRate(300), Command::DataSize(7), Command::Parity(NO_PARITY)]));
    assert_eq!((client.other_rate(), client.lacks_eighth_bit()), (Some(300), true));
    client.set(Settings::eight_none(300));
    assert_eq!((client.other_rate(), client.lacks_eighth_bit()), (None, false));
}

#[test]
fn a_question_is_answered_in_its_turn() {
    let mut client = agreed();
    client.send(b"\x06252\r\n");
    assert_eq!(client.ask(), 1);
    client.set(Settings::eight_none(9600));
    assert_eq!(client.ask(), 2);
    client.receive(&answers(&[Command::BaudRate(300)]));
    assert_eq!(client.questions_answered(), 1);
    client.receive(&answers(&[Command::BaudRate(9600)]));
    assert_eq!((client.questions_answered(), client.answered().rate), (1, Some(9600)));
    client.receive(&answers(&[Command::BaudRate(9600), Command::BaudRate(9600)]));
    assert_eq!(client.questions_answered(), 2, "what nobody asked for answers nothing");
}

#[test]
fn data_is_found_between_commands_and_suspension_is_heard() {
    let mut client = agreed();
    let mut bytes = b"/IS".to_vec();
    Command::Suspend.write(From::Server, &mut bytes);
    bytes.extend(b"K\xFF\xFF5");
    client.receive(&bytes);
    assert!(client.is_suspended());
    let mut buffer = [0; 4];
    assert_eq!(client.take(&mut buffer), 4);
    assert_eq!(buffer, *b"/ISK");
    assert_eq!(client.take(&mut buffer), 2);
    assert_eq!(buffer[..2], *b"\xFF5");
    client.receive(&answers(&[Command::Resume]));
    assert!(!client.is_suspended());
}

#[test]
fn a_server_that_never_answers_costs_no_memory() {
    let mut client = agreed();
    for _ in 0..10_000 {
        client.ask();
        client.set(Settings::eight_none(9600));
        client.sent(client.output().len());
    }
    assert!(client.rates.len() <= UNANSWERED_MAX);
}

proptest::proptest! {
    #[test]
    fn no_input_makes_a_client_panic_or_talk_without_end(
        pieces in proptest::collection::vec(proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..200), 0..40),
    ) {
        let mut whole = Client::new();
        let mut pieced = Client::new();
        whole.receive(&pieces.concat());
        for piece in &pieces {
            pieced.receive(piece);
        }
        assert_eq!(whole.inward, pieced.inward);
        assert_eq!(whole.output, pieced.output);
        // Each of 256 options once a direction, twice where it was on.
        assert!(whole.output.len() <= 3 * 2 * (256 + 3) + 15);
    }
}
