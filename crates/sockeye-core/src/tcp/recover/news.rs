//! What one acknowledgement brought: cumulative, selective, duplicate.
//!
//! In: the header of an acceptable segment. Out: [`News`], with the scoreboard brought up to date. Blocks that
//! make no sense are passed over (RFC 2018, 5; Linux: tcp_is_sackblock_valid), since the peer may be anyone.

use super::Phase;
use super::board::{Board, Sent};
use super::rack::Rack;
use crate::tcp::Ctx;
use crate::tcp::connection::Connection;
use crate::time::Instant;
use crate::wire::tcp::{Seq, TcpHeader};
use arrayvec::ArrayVec;

/// The news; everything in bytes of sequence space.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tcp) struct News {
    /// `snd.una` has moved, by so much.
    pub(in crate::tcp) advanced: bool,
    pub(in crate::tcp) acked: u32,
    /// What has newly arrived, in order or not.
    pub(in crate::tcp) delivered: u32,
    /// What of it has arrived out of order.
    pub(in crate::tcp) sacked: u32,
    /// A duplicate acknowledgement (RFC 5681, 2).
    pub(in crate::tcp) duplicate: bool,
    /// Something was marked on its way (RFC 3168).
    pub(in crate::tcp) marked: bool,
    /// The peer got something twice (RFC 2883).
    pub(in crate::tcp) dsack: bool,
    /// When the oldest and the newest of what was sent once and has newly arrived were sent.
    pub(in crate::tcp) oldest_at: Option<u64>,
    pub(in crate::tcp) newest_at: Option<u64>,
    /// When the newest of all that has newly arrived was last sent.
    pub(in crate::tcp) sent_at: Option<u64>,
    /// Some of what was acknowledged had been sent again.
    pub(in crate::tcp) again: bool,
    /// Something that was sent once, before the timeout, has arrived (RFC 5682).
    pub(in crate::tcp) original: bool,
    /// The timestamp that the peer echoes.
    pub(in crate::tcp) echo: Option<u32>,
}

/// What is needed to judge a stretch that has arrived.
struct Judge<'a> {
    rack: &'a mut Rack,
    now: Instant,
    min_rtt_ns: u64,
    /// Behind what was the highest byte to have arrived.
    highest: Seq,
    /// Where the first of what has arrived behind it begins.
    late: Option<Seq>,
    recover: Option<Seq>,
    /// When the echoed timestamp was sent, in nanoseconds.
    echoed_ns: Option<u64>,
}

impl Judge<'_> {
    fn hear(&mut self, news: &mut News, sent: &Sent, n: u32) {
        news.delivered += n;
        news.sent_at = news.sent_at.max(Some(sent.at));
        if sent.again {
            news.again = true;
        } else {
            news.newest_at = Some(sent.at);
            news.oldest_at.get_or_insert(sent.at);
            if sent.end.lt(self.highest) {
                self.rack.reordering.seen = true;
                let start = sent.end + n.wrapping_neg();
                self.late = Some(match self.late {
                    Some(late) if late.lt(start) => late,
                    _ => start,
                });
            }
            if self.recover.is_some_and(|recover| sent.end.le(recover)) {
                news.original = true;
            }
        }
        // The clock of timestamps has milliseconds.
        let older = self.echoed_ns.is_some_and(|echoed| echoed + 1_000_000 <= sent.at);
        self.rack.delivered(sent, self.now, self.min_rtt_ns, older);
    }
}

impl Connection {
    /// Everything up to `ack` has arrived.
    pub(in crate::tcp) fn hear_acknowledged(&mut self, ack: Seq, news: &mut News, now: Instant) {
        let (mut judge, board) = self.judge(news, now);
        let guessed = board.left() - board.sacked();
        board.acknowledge(ack, |sent, n| judge.hear(news, sent, n));
        let (late, highest) = (judge.late, judge.highest);
        self.note_reordering(late, highest);
        if guessed > 0 {
            // Duplicates have counted the rest (Linux: tcp_remove_reno_sacks).
            let least = u32::from(self.snd.mss).min(news.delivered);
            news.delivered = news.delivered.saturating_sub(guessed).max(least);
        }
    }

    fn note_reordering(&mut self, late: Option<Seq>, highest: Seq) {
        if let Some(late) = late {
            let mss = u32::from(self.snd.mss);
            self.recovery.rack.reordering.note(highest.diff(late).max(0) as u32, mss);
        }
    }

    /// The blocks of an acknowledgement; `una` is what was acknowledged before it.
    pub(in crate::tcp) fn hear_selective(
        &mut self,
        header: &TcpHeader,
        una: Seq,
        news: &mut News,
        ctx: &mut Ctx<'_>,
    ) {
        // One that was overtaken, with a number below `una`, may tell of later stretches all the same.
        if !self.recovery.selective {
            return;
        }
        let mut blocks = header.options.sack.clone();
        if is_duplicate(&blocks, header.ack) {
            self.hear_duplicate(blocks.remove(0), una, news, ctx);
        }
        let (base, nxt) = (self.snd.una, self.snd.nxt);
        blocks.retain(|(start, end)| start.lt(*end) && end.le(nxt) && base.lt(*start));
        blocks.sort_unstable_by_key(|(start, _)| start.diff(base));
        let before = news.delivered;
        let (mut judge, board) = self.judge(news, ctx.now);
        for (start, end) in blocks {
            board.sack(start, end, |sent, n| judge.hear(news, sent, n));
        }
        news.sacked = news.delivered - before;
        let (late, highest) = (judge.late, board.highest());
        self.note_reordering(late, highest);
    }

    /// A duplicate acknowledgement of a peer without SACK says that something has arrived, but not what.
    pub(in crate::tcp) fn hear_nothing_new(&mut self, news: &mut News) {
        self.recovery.dup_acks = self.recovery.dup_acks.saturating_add(1);
        news.duplicate = true;
        if !self.recovery.selective {
            let (mss, flight) = (u32::from(self.snd.mss), self.flight());
            self.recovery.board.guess(mss, flight);
            news.delivered += mss;
        }
    }

    fn judge(&mut self, news: &News, now: Instant) -> (Judge<'_>, &mut Board) {
        let echoed_ns = match self.recovery.phase {
            Phase::Open => None,
            _ => news.echo.filter(|&echo| echo != 0).map(|echo| {
                let ago = u64::from(self.timestamp(now).wrapping_sub(echo)) * 1_000_000;
                now.0.saturating_sub(ago)
            }),
        };
        let recovery = &mut self.recovery;
        let judge = Judge {
            min_rtt_ns: self.rtt.min_ns(),
            highest: recovery.board.highest(),
            late: None,
            recover: if recovery.phase == Phase::Loss { recovery.recover() } else { None },
            rack: &mut recovery.rack,
            now,
            echoed_ns,
        };
        // Two fields of one struct.
        (judge, &mut recovery.board)
    }

    /// D-SACK (RFC 2883): one more of what was sent again was not needed.
    fn hear_duplicate(&mut self, (start, end): (Seq, Seq), una: Seq, news: &mut News, ctx: &mut Ctx<'_>) {
        // Older than any window it may have been sent under: not ours.
        if !start.lt(end) || !end.le(self.snd.nxt) || una.diff(start) > self.snd.wnd_max as i32 {
            return;
        }
        news.dsack = true;
        ctx.counters.dsack_recv += 1;
        let nxt = self.snd.nxt;
        self.recovery.rack.duplicated(self.snd.una, nxt);
        if let Some(episode) = self.recovery.episode.as_mut()
            && let (Some(undo), Some(recover)) = (episode.undo.as_mut(), episode.recover)
        {
            undo.duplicated(start, end, recover);
        }
    }
}

/// RFC 2883, 4: the first block tells of a duplicate when it is below the acknowledgement or part of the second.
fn is_duplicate(blocks: &ArrayVec<(Seq, Seq), 4>, ack: Seq) -> bool {
    let Some(&(start, end)) = blocks.first() else { return false };
    start.lt(ack) || blocks.get(1).is_some_and(|&(from, to)| from.le(start) && end.le(to))
}
