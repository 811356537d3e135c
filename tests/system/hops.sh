# A way of three hops in namespaces of its own: here 10.77.1.1 -> router -> router -> 10.77.3.2; run under `unshare -n`.
set -eu
unshare -n sleep 50 & one=$!
unshare -n sleep 50 & two=$!
unshare -n sleep 50 & end=$!
trap 'kill $one $two $end' EXIT
for pid in $one $two $end; do
    until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
done
within() { pid=$1; shift; nsenter -t "$pid" -n "$@"; }
join() { # namespace, its name, addresses; the same of the other
    ip link add "$2" type veth peer name "$6"
    ip link set "$2" netns "$1"
    ip link set "$6" netns "$5"
    within "$1" sh -c "ip link set lo up; ip addr add $3/24 dev $2; ip addr add $4/64 dev $2 nodad; ip link set $2 up"
    within "$5" sh -c "ip link set lo up; ip addr add $7/24 dev $6; ip addr add $8/64 dev $6 nodad; ip link set $6 up"
}
for pid in $$ $one $two $end; do # no waiting for duplicate addresses
    within $pid sh -c "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits"
done
join $$ a0 10.77.1.1 fd77:1::1 $one a1 10.77.1.2 fd77:1::2
join $one b0 10.77.2.1 fd77:2::1 $two b1 10.77.2.2 fd77:2::2
join $two c0 10.77.3.1 fd77:3::1 $end c1 10.77.3.2 fd77:3::2
for pid in $one $two; do
    within $pid sh -c "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
    within $pid sh -c "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; echo 0 >/proc/sys/net/ipv6/icmp/ratelimit"
done
ip route add default via 10.77.1.2
ip route add default via fd77:1::2
within $one sh -c "ip route add 10.77.3.0/24 via 10.77.2.2; ip route add fd77:3::/64 via fd77:2::2"
within $two sh -c "ip route add 10.77.1.0/24 via 10.77.2.1; ip route add fd77:1::/64 via fd77:2::1"
within $end sh -c "ip route add default via 10.77.3.1; ip route add default via fd77:3::1"
"$@"
