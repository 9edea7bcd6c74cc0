//! What ICMP messages do to a connection (RFC 9293, 3.9.2.2; RFC 5927; Linux: tcp_v4_err).

use super::connection::Connection;
use super::{Ctx, IcmpError, State};
use crate::wire::tcp::Seq;

impl Connection {
    /// An error message that quotes a segment of ours with this sequence number.
    ///
    /// Only one about something in flight counts (RFC 5927, 4.1). It ends an attempt to connect; later it is
    /// kept, to be the reason should the retries run out.
    pub fn icmp_error(&mut self, error: IcmpError, quoted: Seq, ctx: &mut Ctx<'_>) {
        if self.state == State::Closed || self.state == State::TimeWait {
            return;
        }
        if quoted.lt(self.snd.una) || !quoted.lt(self.snd.nxt) {
            ctx.counters.out_of_window_icmps += 1;
            return;
        }
        match error {
            IcmpError::Mtu(mtu) => self.shrink_to(mtu, ctx),
            IcmpError::Hard(errno) | IcmpError::Soft(errno) => {
                if matches!(self.state, State::SynSent | State::SynReceived) {
                    ctx.counters.attempt_fails += 1;
                    self.fail(errno);
                } else {
                    self.soft_error = Some(errno);
                }
            }
        }
    }

    /// Path MTU discovery (RFC 1191, RFC 8201): smaller segments from now on, and at once for what is in flight.
    fn shrink_to(&mut self, mtu: u16, ctx: &mut Ctx<'_>) {
        let headers = if self.remote.is_ipv4() { 40 } else { 60 };
        let mss = mtu.saturating_sub(headers).max(super::connection::MSS_MIN);
        if mss < self.snd.mss_path {
            self.snd.mss_path = mss;
            self.size_segments();
            self.resend_all(ctx);
            self.reopen_plainly();
        }
    }
}
