#!/bin/bash
# nginx with four workers under wrk: one shared listener, and one listener per worker (reuseport).
. "$(dirname "$0")/inside.sh"
duration=3
[ -z "$QUICK" ] || duration=1
mkdir html
head -c 3000 /dev/zero | tr '\0' n >html/page
{
    [ "$(id -u)" != 0 ] || echo 'user root;'
    cat <<CONF
worker_processes 4;
daemon off;
pid $PWD/nginx.pid.own;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path $PWD/body; proxy_temp_path $PWD/proxy; fastcgi_temp_path $PWD/fastcgi;
    uwsgi_temp_path $PWD/uwsgi; scgi_temp_path $PWD/scgi;
    sendfile on;
    server { listen 127.0.0.1:$PORT; root $PWD/html; }
    server { listen 127.0.0.1:$((PORT + 1)) reuseport; listen [::1]:$((PORT + 1)) reuseport; root $PWD/html; }
    server { listen 127.0.0.1:$((PORT + 2)); location / { proxy_pass http://127.0.0.1:$PORT; } }
}
CONF
} >nginx.conf
start server nginx -p "$PWD" -c "$PWD/nginx.conf" -e "$PWD/error.log"
for each in 0 1 2; do serving 127.0.0.1 $((PORT + each)); done
for each in 0 1 2; do
    same "$(timeout 20 curl -sS --noproxy '*' "http://127.0.0.1:$((PORT + each))/page" | wc -c)" 3000
    timeout 60 wrk -t 2 -c 50 -d ${duration}s "http://127.0.0.1:$((PORT + each))/page" >"wrk$each.log"
    if grep -E 'Socket errors|Non-2xx' "wrk$each.log"; then false; fi
    [ "$(awk '/requests in/ { print $1 }' "wrk$each.log")" -gt 100 ]
done
same "$(timeout 20 curl -sS --noproxy '*' "http://[::1]:$((PORT + 1))/page" | wc -c)" 3000
