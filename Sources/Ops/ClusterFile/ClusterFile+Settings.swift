import UploadCore

extension ClusterFile {
  /// Every value is there or has a default: what is missing has been reported before.
  init(_ settings: Settings) {
    cluster = settings.text("cluster") ?? ""
    domain = settings.text("domain") ?? ""
    image = ImageReference(settings.text("image") ?? "")
    policy = UploadPolicy(
      maxUploadSize: settings.size("policy.maxUploadSize"),
      maxAge: settings.seconds("policy.maxAge"),
      maxAgeForMultidownload: settings.seconds("policy.maxAgeForMultidownload"),
      allowLifetimeOverMaxAge: settings.flag("policy.allowLifetimeOverMaxAge"),
      maxDownloads: settings.integer("policy.maxDownloads"))
    shortURLService = settings.flag("policy.shortURL.enabled") ? settings.text("policy.shortURL.service") : nil
    password = settings.secret("policy.password")
    storage = BucketStorage(settings)
    ingress = Ingress(
      tls: settings.word("ingress.tls", .nginx), staticFiles: settings.map("ingress.staticFiles"))
    certificates = Certificates(settings)
    dns = DNSSettings(settings)
    mesh = Mesh(type: settings.word("mesh.type", .wireguardNative), network: settings.text("mesh.network"))
    kubernetes = KubernetesSettings(settings)
    access = Access(
      adminCIDRs: settings.list("access.adminCIDRs"),
      ssh: SSHLogin(settings, "access.ssh", else: nil),
      jumpHost: JumpHost(settings, "access.jumpHost"),
      revertAfter: settings.seconds("access.revertAfter"))
    shutdownGrace = Int(settings.seconds("policy.shutdownGrace"))
    cleanupSchedule = settings.text("cleanup.schedule") ?? ""
    nodes = []
    for index in 0..<(settings.counts["nodes"] ?? 0) {
      nodes.append(NodeSpec(settings, "nodes[\(index)]", access: access))
    }
    features = Features(settings)
  }
}

/// Stands for a required reference in a file that has problems, and so is never followed.
private let missing = SecretReference.environment("")

extension BucketStorage {
  fileprivate init(_ settings: Settings) {
    accountID = settings.text("storage.r2.accountID") ?? ""
    bucket = settings.text("storage.r2.bucket") ?? ""
    jurisdiction = settings.word("storage.r2.jurisdiction", .standard)
    customEndpoint = settings.text("storage.r2.endpoint")
    accessKeyID = settings.secret("storage.r2.accessKeyID") ?? missing
    secretAccessKey = settings.secret("storage.r2.secretAccessKey") ?? missing
  }
}

extension Certificates {
  fileprivate init(_ settings: Settings) {
    if let server = settings.text("certificates.issuer.server") {
      issuer = .server(server)
    } else if let secret = settings.text("certificates.issuer.secret") {
      issuer = .secret(secret)
    } else {
      issuer = settings.text("certificates.issuer") == "letsencrypt-staging" ? .letsEncryptStaging : .letsEncrypt
    }
    email = settings.text("certificates.email")
    profile = settings.text("certificates.profile") ?? ""
    cloudflareToken = settings.secret("certificates.dns01.cloudflare.apiToken")
  }
}

extension DNSSettings {
  fileprivate init?(_ settings: Settings) {
    guard settings.has("dns") else { return nil }
    let own = "dns.provider.rfc2136"
    if settings.has(own) {
      provider = .rfc2136(
        server: settings.text("\(own).server") ?? "", zone: settings.text("\(own).zone") ?? "",
        keyName: settings.text("\(own).keyName") ?? "", keyAlgorithm: settings.text("\(own).keyAlgorithm") ?? "",
        secret: settings.secret("\(own).secret") ?? missing)
    } else {
      provider = .cloudflare(apiToken: settings.secret("dns.provider.cloudflare.apiToken") ?? missing)
    }
    mode = settings.word("dns.mode", .roundRobin)
    ttl = settings.seconds("dns.ttl")
    minRecords = settings.integer("dns.minRecords")
  }
}

extension KubernetesSettings {
  fileprivate init(_ settings: Settings) {
    version = settings.text("kubernetes.k3s.version")
    sha256 = [:]
    binaries = [:]
    for architecture in ["amd64", "arm64"] {
      sha256[architecture] = settings.text("kubernetes.k3s.sha256.\(architecture)")
      binaries[architecture] = settings.text("kubernetes.k3s.file.\(architecture)")
    }
    url = settings.text("kubernetes.k3s.url") ?? ""
    datastore = settings.word("kubernetes.datastore", .etcd)
    podNetwork = settings.network("kubernetes.network.pods")
    serviceNetwork = settings.network("kubernetes.network.services")
    snapshotEvery = settings.seconds("kubernetes.snapshots.every")
    snapshotKeep = settings.integer("kubernetes.snapshots.keep")
    snapshotTo = settings.word("kubernetes.snapshots.to", .r2)
    snapshotBucket = settings.text("kubernetes.snapshots.bucket")
    arguments = Arguments(
      kubelet: settings.list("kubernetes.arguments.kubelet"),
      apiserver: settings.list("kubernetes.arguments.apiserver"), etcd: settings.list("kubernetes.arguments.etcd"))
  }
}

extension SSHLogin {
  /// A node's login is the general one where it does not say otherwise.
  fileprivate init(_ settings: Settings, _ path: String, else general: SSHLogin?) {
    user = settings.texts["\(path).user"] ?? general?.user ?? settings.text("\(path).user") ?? ""
    port = settings.texts["\(path).port"].flatMap { Int($0) } ?? general?.port ?? settings.integer("\(path).port")
    keyFile = settings.texts["\(path).keyFile"] ?? general?.keyFile
  }
}

extension JumpHost {
  fileprivate init?(_ settings: Settings, _ path: String) {
    guard let address = settings.text("\(path).address") else { return nil }
    self.init(address: address, user: settings.text("\(path).user") ?? "", port: settings.integer("\(path).port"))
  }
}

extension NodeSpec {
  fileprivate init(_ settings: Settings, _ path: String, access: Access) {
    name = settings.text("\(path).name") ?? ""
    role = settings.word("\(path).role", .edge)
    address = settings.address("\(path).address") ?? .v4([0, 0, 0, 0])
    address6 = settings.address("\(path).address6")
    privateAddress = settings.address("\(path).privateAddress")
    meshAddress = settings.address("\(path).meshAddress")
    provider = settings.text("\(path).provider") ?? ""
    region = settings.text("\(path).region") ?? ""
    memory = settings.size("\(path).memory")
    cpus = settings.integer("\(path).cpus")
    disk = settings.has("\(path).disk") ? settings.size("\(path).disk") : nil
    ssh = SSHLogin(settings, "\(path).ssh", else: access.ssh)
    jumpHost = JumpHost(settings, "\(path).ssh.jumpHost") ?? access.jumpHost
    labels = settings.map("\(path).labels")
    taints = settings.list("\(path).taints")
    isSpot = settings.flag("\(path).spot")
    if settings.has("\(path).traffic") {
      traffic = Traffic(
        allowance: settings.size("\(path).traffic.allowance"),
        count: settings.word("\(path).traffic.count", .both),
        resetDay: settings.integer("\(path).traffic.resetDay"))
    }
  }
}

extension Features {
  fileprivate init(_ settings: Settings) {
    enabled = Set(Feature.allCases.filter { settings.flag("features.\($0.rawValue).enabled") })
    positions = [:]
    for feature in enabled { positions[feature] = settings.positions["features.\(feature.rawValue).enabled"] }
    if let url = settings.text("features.logs.loki.url") {
      loki = Loki(
        url: url, username: settings.text("features.logs.loki.username"),
        password: settings.secret("features.logs.loki.password"))
    }
    auditLevel = settings.text("features.audit.level") ?? ""
    tunnelToken = settings.secret("features.tunnel.token")
    virtualAddress = settings.address("features.keepalived.virtualAddress")
    dynamicAddressEvery = settings.seconds("features.dynamicAddress.every")
  }
}
