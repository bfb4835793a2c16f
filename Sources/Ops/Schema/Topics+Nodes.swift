extension Topics {
  /// The pages about nodes.
  static let nodes: [Topic] = [
    Topic(
      name: "node-setup",
      paragraphs: [
        "apply makes a fresh Debian or Ubuntu server a node of the cluster, over ssh, and a second run changes nothing.",
        "One connection asks a node for its facts. A file is written only when its content differs, a service restarted only "
          + "when its files have changed since it was started last. The control plane comes first, then up to eight nodes at "
          + "a time. render writes the same files to DIR/nodes/NAME/PATH.",
        "A node that does not answer is named and the others go on; an interrupted run is finished by the next one. --only "
          + "node/NAME does one node, --only nodes all of them, --only kubernetes none; --print-commands shows every command.",
        "What only a node knows is asked by apply; render leaves out the files that need it, unless --facts FILE tells it: "
          + "nodes: { edge-1: { publicKey: …, interface: eth1 } } (wg show; ip address).",
      ]),
    Topic(
      name: "firewall",
      paragraphs: [
        "Every node gets an nftables table of its own, bashupload: INPUT drops by default, IPv6 included.",
        "ACCEPT rules for single ports close nothing while the policy is ACCEPT. A hostPort is translated and forwarded, so it "
          + "never passes INPUT: a second chain lets 80 and 443 through to pods and nothing else. 6443, 10250 and WireGuard are "
          + "open to the nodes of the file only; ssh is counted for each source, but not for access.adminCIDRs.",
        "A change is armed: it comes back by itself after access.revertAfter unless a new ssh connection has proven that it "
          + "lets us in; also when the machine is restarted in between. Do not use ufw or firewalld beside it.",
      ]),
    Topic(
      name: "meshes",
      paragraphs: [
        "Exactly one network connects the nodes. wireguardNative, the default, is made by k3s itself.",
        "It carries what goes from pod to pod. wireguard is a full mesh by wg-quick, for what goes from host to host; private "
          + "keys are made on the nodes and never leave them. zerotier uses a network that the nodes join; its free plan "
          + "ends at 10 devices and is for personal use. none is for one provider's private network, and is not encrypted. "
          + "WireGuard is not IPsec, and two meshes on one port break each other.",
      ]),
    Topic(
      name: "kubelet",
      paragraphs: [
        "A drop-in of the kubelet reserves memory for the system and for Kubernetes, by nodes.memory.",
        "On 2 GiB: 300 MiB for Kubernetes on an edge and 819 MiB on a server, 200 MiB for the system. Eviction begins at 100 MiB "
          + "(hard) and 200 MiB for 90 s (soft); all four hard signals are named, because naming one turns the others off. "
          + "memory.available<500Mi would evict at a quarter of such a node.",
      ]),
    Topic(
      name: "coredns",
      paragraphs: [
        "CoreDNS has no flag dns-forward-max-per-host; its forward plugin has max_concurrent.",
        "The edges do not need it at all: their pods use the node's own resolver (dnsPolicy: Default), so a dead CoreDNS, mesh "
          + "or server does not keep them from the bucket.",
      ]),
    Topic(
      name: "pod-security",
      paragraphs: [
        "Every namespace is restricted unless its label says otherwise; kube-system is exempt.",
        "hostPort is refused even by baseline, so the service's namespace is privileged and an admission policy allows the host "
          + "ports 80 and 443 only.",
      ]),
    Topic(
      name: "audit",
      paragraphs: [
        "audit-log-path without audit-policy-file writes nothing. features.audit writes both, with limits: 4 × 50 MB.",
        "The policy leaves out what repeats by itself (leases, events, health) and never writes the content of Secrets.",
      ]),
    Topic(
      name: "upgrade",
      paragraphs: [
        "k3s has no kubeadm: an upgrade replaces one binary and restarts it. From 1.24 to 1.25 is a minor version.",
        "deploy upgrade goes to kubernetes.k3s.version: one minor version at a time, the control plane first, then one edge at a "
          + "time: cordoned, upgraded, verified, uncordoned. A snapshot is taken before. k3s does not go back by installing an "
          + "older version: restore brings back the snapshot with the old binary.",
        "Nothing is taken down while the API server or a control node is away; run again, it goes on.",
      ]),
    Topic(
      name: "reboot",
      paragraphs: [
        "Security updates are installed by themselves and never reboot a node: an edge that starts while the API server is away "
          + "waits for it and serves nobody.",
        "deploy reboot does it where the system asks for it (/var/run/reboot-required; status names them): control nodes first, "
          + "then one edge at a time, drained, rebooted, ready, verified, back in service. It stops at the first that does not "
          + "come back, and goes on when run again.",
      ]),
    Topic(
      name: "backup",
      paragraphs: [
        "backup saves the state of the cluster (an etcd snapshot, or SQLite's file) and the token without which it cannot be "
          + "read; restore brings it back, and prints every step first.",
        "Uploads are in the bucket and not in it. Keep the token's file where the cluster is not.",
      ]),
    Topic(
      name: "rotation",
      paragraphs: [
        "rotate makes a new token for the agents on the control node, and brings it to all nodes. rotate servers does so with the "
          + "token of the control nodes, one after the other. Take a backup after either: older ones need the old token.",
        "Keys of R2 and tokens of Cloudflare are references: make a new one beside the old, change what the reference points to, "
          + "then rotate r2 or rotate cloudflare, and take the old one away when it says so.",
        "rotate r2 rolls the pods, one edge after the other, checks them by an upload, gives the control nodes the keys, and takes "
          + "a snapshot into the bucket with them. rotate cloudflare has cert-manager get a certificate for a name that is new. "
          + "Keys that do not work are taken out of the cluster again, and the old ones are back. WireGuard: remove the .key "
          + "file on a node and apply.",
      ]),
    Topic(
      name: "cluster-certificates",
      paragraphs: [
        "k3s' own certificates live 365 days and are renewed only when it starts, in their last 120 days.",
        "So k3s has to be restarted in those. An upgrade does it; apply restarts a k3s whose certificates end within 90 days, one "
          + "node after the other, and wants to be run every three months for that; status shows the days of every node, and "
          + "doctor names those that are due.",
      ]),
    Topic(
      name: "dynamic-address",
      paragraphs: [
        "k3s wants to know a node's public address; a record in the DNS alone is not enough when it changes.",
        "With features.dynamicAddress a timer on each node reads the address, writes it where k3s reads it, and restarts k3s, in "
          + "this order. The firewall then asks nobody where WireGuard and the API are called from: the first answers only "
          + "whoever has a key, the second wants a token and is counted for each source.",
        "Commands ask the cluster where its nodes are now, say so when that is not what the file says, and use it for ssh and for "
          + "what the other nodes know of it. A control node that others join needs an address that stays.",
      ]),
    Topic(
      name: "jump-host",
      paragraphs: [
        "With access.jumpHost, or nodes.ssh.jumpHost, ssh goes through that host (ProxyJump).",
        "If it is given by its address, the firewall of the node lets ssh in from there and from access.adminCIDRs only. It has "
          + "to be the address that the node sees.",
      ]),
    Topic(
      name: "keepalived",
      paragraphs: [
        "A virtual address moves between control nodes of one network segment; across providers there is no such segment.",
        "k3s agents know all servers by themselves once they have joined: what it is good for is kubectl, and joining.",
      ]),
    Topic(
      name: "tunnel",
      paragraphs: [
        "A Cloudflare Tunnel (formerly Argo Tunnel) can carry the Kubernetes API; not the service.",
        "Proxied requests end at 100 MB on the free plan, and every byte makes a detour.",
      ]),
    Topic(
      name: "logs",
      paragraphs: [
        "containerd writes logs to files, and the kubelet rotates them: 3 files of 10 MB for each container; it knows no age.",
        "A log sidecar without a shared volume sees nothing. features.logs runs one agent per node instead; journald is limited "
          + "to 200 MB.",
      ]),
    Topic(
      name: "spot",
      paragraphs: [
        "Nodes that the provider may take away: spot: true, and features.spot.",
        "They are labelled and tainted bashupload.app/spot; the service tolerates it. A priority class that nobody has created "
          + "makes the API refuse the pod.",
      ]),
  ]
}
