#!/bin/bash
# sshd with its own keys on its own port, and a login over it as the user who runs the test. A user without a
# login shell can still transfer files.
. "$(dirname "$0")/inside.sh"
umask 077
ssh-keygen -q -t ed25519 -N '' -f host_key
ssh-keygen -q -t ed25519 -N '' -f user_key
cp user_key.pub authorized
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
cat >sshd_config <<CONF
ListenAddress 127.0.0.1:$PORT
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/authorized
PidFile none
UsePAM yes
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
CONF
start server "$(command -v sshd)" -D -e -f "$PWD/sshd_config"
serving 127.0.0.1 "$PORT"
cat >ssh_config <<CONF
Host *
    Port $PORT
    User $(id -un)
    IdentityFile $PWD/user_key
    IdentitiesOnly yes
    BatchMode yes
    UserKnownHostsFile $PWD/known_hosts
    StrictHostKeyChecking accept-new
CONF
head -c 2000000 /dev/urandom >sent
printf 'put %s/sent %s/received\n' "$PWD" "$PWD" | timeout 40 sftp -q -F ssh_config -b - 127.0.0.1 >sftp.log 2>&1
cmp sent received
case $(getent passwd "$(id -un)" | cut -d: -f7) in
    */nologin | */false) ;;
    *)
        same "$(timeout 40 ssh -F ssh_config 127.0.0.1 echo 'over ssh')" 'over ssh'
        same "$(timeout 40 ssh -F ssh_config 127.0.0.1 sha256sum <sent)" "$(sha256sum <sent)"
        if timeout 40 ssh -F ssh_config 127.0.0.1 exit 7; then false; else same $? 7; fi
        ;;
esac
