import UploadCore

/// Modules and settings of the kernel: what k3s and protect-kernel-defaults want, and what long transfers gain from.
enum KernelSettings {
  static let path = "/etc/sysctl.d/90-bashupload.conf"

  static func modules(_ network: NodeNetwork) -> NodeFile {
    var modules = ["overlay", "br_netfilter", "nf_conntrack", "tcp_bbr"]
    if [.wireguard, .wireguardNative].contains(network.file.mesh.type) { modules.append("wireguard") }
    if network.virtualAddress != nil { modules.append("ip_vs") }
    return NodeFile("/etc/modules-load.d/bashupload.conf", lines: [NodeFile.header("Kernel modules")] + modules)
  }

  /// kube-proxy would put its own over them: a day for a connection that says nothing, and an hour for half of one.
  static let kubeProxyArguments = [
    "conntrack-max-per-core=0", "conntrack-min=0", "conntrack-tcp-timeout-established=0s",
    "conntrack-tcp-timeout-close-wait=0s",
  ]

  /// Connections that the kernel remembers: every hostPort is a translated one. 300 bytes each, at most 4 % of the memory.
  static func connections(_ node: NodeSpec) -> Int {
    max(65_536, min(1_048_576, Int(node.memory.bytes / (16 << 10))))
  }

  static func sysctl(_ node: NodeSpec, _ network: NodeNetwork) -> NodeFile {
    var lines = [
      NodeFile.header("Kernel settings"),
      "# The kubelet refuses to start with protect-kernel-defaults unless these are so.",
      "vm.overcommit_memory = 1",
      "vm.panic_on_oom = 0",
      "kernel.panic = 10",
      "kernel.panic_on_oops = 1",
      "kernel.keys.root_maxkeys = 1000000",
      "kernel.keys.root_maxbytes = 25000000",
      "# Pods are routed.",
      "net.ipv4.ip_forward = 1",
      "net.bridge.bridge-nf-call-iptables = 1",
    ]
    if network.isDualStack {
      lines += [
        "net.ipv6.conf.all.forwarding = 1",
        "net.bridge.bridge-nf-call-ip6tables = 1",
        "# A host that forwards would ignore router advertisements, and with them its default route.",
        "net.ipv6.conf.all.accept_ra = 2",
        "net.ipv6.conf.default.accept_ra = 2",
      ]
    }
    lines += [
      "# Every connection to a hostPort has an entry. 2 h 4 min is the least for one that is silent (RFC 5382); a flood of half",
      "# open ones and of closed ones does not fill the table.",
      "net.netfilter.nf_conntrack_max = \(connections(node))",
      "net.netfilter.nf_conntrack_tcp_timeout_established = 7440",
      "net.netfilter.nf_conntrack_tcp_timeout_close_wait = 120",
      "net.netfilter.nf_conntrack_tcp_timeout_syn_recv = 30",
      "net.netfilter.nf_conntrack_tcp_timeout_time_wait = 60",
      "# Long transfers over long ways: a lost packet is not a full queue.",
      "net.core.default_qdisc = fq",
      "net.ipv4.tcp_congestion_control = bbr",
      "net.ipv4.tcp_slow_start_after_idle = 0",
      "net.ipv4.tcp_mtu_probing = 1",
      "net.core.somaxconn = 4096",
      "# Every kubelet, containerd and log reader watches files.",
      "fs.inotify.max_user_instances = 1024",
      "fs.inotify.max_user_watches = 262144",
    ]
    return NodeFile(path, lines: lines)
  }
}
