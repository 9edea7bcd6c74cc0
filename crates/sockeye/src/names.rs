//! The resolver of a host: DNS questions in, DNS answers out, at once.
//!
//! It knows `localhost`, the host's own names and their reverse; everything else does not exist (NXDOMAIN), so
//! that no program waits for a timeout. Whatever cannot be read as a question gets FORMERR, or silence where not
//! even an id is there.

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, PTR};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// How long an answer may be kept, in seconds: not long, since hosts come and go.
const TTL_S: u32 = 5;

/// Names of one host and what they mean.
#[derive(Clone, Debug)]
pub struct Resolver {
    entries: Vec<(Name, Vec<IpAddr>)>,
}

impl Resolver {
    /// Knows `localhost` and `names`, which mean `addresses`. A name that DNS cannot carry is passed over.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, addresses: &[IpAddr]) -> Self {
        let loopback = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let mut entries = vec![(fully_qualified("localhost").expect("a name"), loopback)];
        for name in names {
            if let Some(name) = fully_qualified(name)
                && entries.iter().all(|(known, _)| *known != name)
            {
                entries.push((name, addresses.to_vec()));
            }
        }
        Self { entries }
    }

    /// The answer to one DNS message; None where there is nothing to answer to.
    pub fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let Ok(query) = Message::from_vec(query) else {
            let id = u16::from_be_bytes([*query.first()?, *query.get(1)?]);
            return Message::error_msg(id, OpCode::Query, ResponseCode::FormErr).to_vec().ok();
        };
        if query.message_type() != MessageType::Query {
            return None;
        }
        let mut answer = Message::new();
        answer
            .set_id(query.id())
            .set_message_type(MessageType::Response)
            .set_op_code(query.op_code())
            .set_authoritative(true)
            .set_recursion_desired(query.recursion_desired())
            .set_recursion_available(true)
            .add_queries(query.queries().iter().cloned());
        match query.queries() {
            [question] if query.op_code() == OpCode::Query => {
                let (code, data) = self.look_up(question.name(), question.query_type());
                answer.set_response_code(code);
                for item in data {
                    answer.add_answer(Record::from_rdata(question.name().clone(), TTL_S, item));
                }
            }
            [_] => drop(answer.set_response_code(ResponseCode::NotImp)),
            _ => drop(answer.set_response_code(ResponseCode::FormErr)),
        }
        answer.to_vec().ok()
    }

    fn look_up(&self, name: &Name, kind: RecordType) -> (ResponseCode, Vec<RData>) {
        if let Some(address) = reverse(name) {
            let found: Vec<RData> = self
                .entries
                .iter()
                .filter(|(_, addresses)| addresses.contains(&address))
                .map(|(name, _)| RData::PTR(PTR(name.clone())))
                .take(1)
                .collect();
            return answer_of(!found.is_empty(), if kind == RecordType::PTR { found } else { vec![] });
        }
        let Some((_, addresses)) = self.entries.iter().find(|(known, _)| matches(known, name)) else {
            return (ResponseCode::NXDomain, vec![]);
        };
        let data = addresses.iter().filter_map(|address| match (address, kind) {
            (IpAddr::V4(ip), RecordType::A | RecordType::ANY) => Some(RData::A(A(*ip))),
            (IpAddr::V6(ip), RecordType::AAAA | RecordType::ANY) => Some(RData::AAAA(AAAA(*ip))),
            _ => None,
        });
        answer_of(true, data.collect())
    }
}

fn answer_of(known: bool, data: Vec<RData>) -> (ResponseCode, Vec<RData>) {
    (if known { ResponseCode::NoError } else { ResponseCode::NXDomain }, data)
}

/// Names compare without case; everything below `localhost` is localhost (RFC 6761, 6.3).
fn matches(known: &Name, asked: &Name) -> bool {
    known.eq_ignore_root_case(asked)
        || (known.num_labels() == 1 && known.to_ascii() == "localhost." && known.zone_of(asked))
}

fn fully_qualified(name: &str) -> Option<Name> {
    let mut name = Name::from_str(&name.to_ascii_lowercase()).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// The address that a name below in-addr.arpa or ip6.arpa stands for.
fn reverse(name: &Name) -> Option<IpAddr> {
    let net = name.parse_arpa_name().ok()?;
    (net.prefix_len() == net.max_prefix_len()).then(|| net.addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::op::Query;

    fn ask(name: &str, kind: RecordType) -> (ResponseCode, Vec<String>) {
        let resolver = Resolver::new(["box"], &["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()]);
        let mut query = Message::new();
        query.set_id(7).add_query(Query::query(Name::from_str(name).unwrap(), kind));
        let answer = resolver.answer(&query.to_vec().unwrap()).expect("an answer");
        let answer = Message::from_vec(&answer).expect("a DNS message");
        assert_eq!((answer.id(), answer.message_type()), (7, MessageType::Response));
        (answer.response_code(), answer.answers().iter().map(|r| r.data().to_string()).collect())
    }

    #[test]
    fn names_and_their_reverse_are_known_and_nothing_else() {
        assert_eq!(ask("BOX.", RecordType::A), (ResponseCode::NoError, vec!["10.0.0.1".into()]));
        assert_eq!(ask("box.", RecordType::AAAA), (ResponseCode::NoError, vec!["fd00::1".into()]));
        assert_eq!(ask("box.", RecordType::MX), (ResponseCode::NoError, vec![]));
        assert_eq!(ask("localhost.", RecordType::A).1, ["127.0.0.1"]);
        assert_eq!(ask("a.localhost.", RecordType::AAAA).1, ["::1"]);
        assert_eq!(ask("1.0.0.10.in-addr.arpa.", RecordType::PTR).1, ["box."]);
        assert_eq!(ask("1.0.0.127.in-addr.arpa.", RecordType::PTR).1, ["localhost."]);
        assert_eq!(ask("2.0.0.10.in-addr.arpa.", RecordType::PTR).0, ResponseCode::NXDomain);
        assert_eq!(ask("example.com.", RecordType::A), (ResponseCode::NXDomain, vec![]));
    }

    #[test]
    fn what_is_no_question_gets_an_error_or_silence() {
        let resolver = Resolver::new([], &[]);
        assert_eq!(resolver.answer(&[1]), None);
        let answer = Message::from_vec(&resolver.answer(&[0, 9, 1, 0, 0, 1]).unwrap()).unwrap();
        assert_eq!((answer.id(), answer.response_code()), (9, ResponseCode::FormErr));
    }
}
