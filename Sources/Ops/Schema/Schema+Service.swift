extension Schema {
  /// What the service itself does.
  static let service: [SchemaKey] = [
    SchemaKey("policy", .section(policy), .optional(nil), "What uploads are taken, and how long they live."),
    SchemaKey("storage", .section([r2]), .required, "Where the bytes are kept."),
    SchemaKey("ingress", .section(ingress), .optional(nil), "How requests come in on every edge node."),
  ]

  private static let policy: [SchemaKey] = [
    SchemaKey(
      "maxUploadSize", .scalar(.size(1...(1 << 40))), .optional("5GiB"),
      "The largest upload (MAX_UPLOAD_SIZE). nginx gets the same limit, and 1 MiB for a form's frame."),
    SchemaKey(
      "maxAge", .scalar(.duration(1...longest)), .optional("1h"),
      "How long an upload with counted downloads lives (MAX_AGE)."),
    SchemaKey(
      "maxAgeForMultidownload", .scalar(.duration(1...longest)), .optional("24h"),
      "The longest time that an uploader may ask for with X-Expiration-Seconds (MAX_AGE_FOR_MULTIDOWNLOAD)."),
    SchemaKey(
      "allowLifetimeOverMaxAge", .scalar(.flag), .optional("false"),
      "true: uploaders may ask for more than maxAgeForMultidownload (ALLOW_LIFETIME_OVER_MAX_AGE), up to ten years."),
    SchemaKey(
      "maxDownloads", .scalar(.integer(1...1_000_000)), .optional("1000"),
      "The largest X-Max-Downloads (MAX_DOWNLOADS)."),
    SchemaKey(
      "shutdownGrace", .scalar(.duration(10...3_600)), .optional("120s"),
      "How long transfers may go on when their pod has to end: a new version, a node that reboots (SHUTDOWN_GRACE; the pod, nginx "
        + "and the kubelet follow). Long uploads want more; an apply and a reboot take that much longer."),
    SchemaKey(
      "shortURL",
      .section([
        SchemaKey("enabled", .scalar(.flag), .optional("false"), "true: uploads to /short answer a short URL."),
        SchemaKey(
          "service", .scalar(.url("https", "http")), .optional(nil), sample: "https://suosuo.de/short",
          "The MyUrls service that makes the short URLs (SHORT_URL_SERVICE). It learns every URL that it shortens."),
      ]), .optional(nil), "Short URLs by an outside service."),
    SchemaKey(
      "password", .secret, .optional(nil), sample: "{ fromEnv: BASHUPLOAD_PASSWORD }",
      "Asked for uploads and downloads when it is there (PASSWORD)."),
  ]

  private static let r2 = SchemaKey(
    "r2",
    .section([
      SchemaKey(
        "accountID", .scalar(.hex(32)), .required, sample: "0123456789abcdef0123456789abcdef",
        "The Cloudflare account of the bucket: 32 hex digits, in the dashboard beside R2."),
      SchemaKey(
        "bucket", .scalar(.bucket), .required, sample: "bashupload",
        "The bucket. Give it nothing else to hold, and a lifecycle rule that aborts unfinished multipart uploads."),
      SchemaKey(
        "jurisdiction", .scalar(.word("default", "eu", "fedramp")), .optional("default"),
        "Where Cloudflare promises to keep the objects; it decides the endpoint and cannot be changed later."),
      SchemaKey(
        "endpoint", .scalar(.url("https", "http")), .optional(nil),
        "Another S3 service than R2 (R2_ENDPOINT). Without it the endpoint follows from accountID and jurisdiction."),
      SchemaKey(
        "accessKeyID", .secret, .required, sample: "{ fromEnv: R2_ACCESS_KEY_ID }",
        "The access key of an R2 token with Object Read & Write on this bucket, and on that of kubernetes.snapshots, only."
      ),
      SchemaKey(
        "secretAccessKey", .secret, .required, sample: "{ fromEnv: R2_SECRET_ACCESS_KEY }",
        "The secret key that belongs to accessKeyID."),
    ]), .required, "Cloudflare R2: one bucket for all nodes.")

  private static let ingress: [SchemaKey] = [
    SchemaKey(
      "tls", .scalar(.word("nginx", "direct")), .optional("nginx"),
      "nginx: a sidecar ends TLS and streams to the service. direct: the service ends TLS itself, with half the CPU."),
    SchemaKey(
      "staticFiles", .map(keys: .urlPath, values: .fileText), .optional(nil),
      sample: "{ /robots.txt: \"User-agent: *\" }",
      "Texts that nginx answers itself, such as files that prove who owns the domain: 128 KiB in all, several lines with |. Needs tls: nginx."
    ),
  ]
}
