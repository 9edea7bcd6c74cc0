# What the programs' tests share. Each runs inside a host (or natively), in an empty directory of its own, as
# `NAME.sh FIRST-PORT [quick]`, and may use five ports from FIRST-PORT on; TAKEN is native, engine or direct. The first command that fails ends it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PORT=$1 QUICK=${2:-}
export HOME=$PWD
set -eE -o pipefail
trap 'echo "failed at line $LINENO: $BASH_COMMAND"; tail -n 5 ./*.log 2>/dev/null' ERR
trap end_started EXIT

# serving ADDRESS PORT: until somebody listens there.
serving() { wait_for 20 port_open "$1" "$2" || { echo "nobody listens on $1 port $2"; return 1; }; }
same() { [ "$1" = "$2" ] || { echo "expected '$2', got '$1'"; return 1; }; }
