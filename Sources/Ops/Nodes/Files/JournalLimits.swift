/// journald may not fill a small disk.
enum JournalLimits {
  static let file = NodeFile(
    "/etc/systemd/journald.conf.d/10-bashupload.conf",
    lines: [
      NodeFile.header("Limits of the journal"),
      "[Journal]",
      "Storage=persistent",
      "SystemMaxUse=200M",
      "SystemKeepFree=1G",
      "RuntimeMaxUse=50M",
      "MaxRetentionSec=14day",
    ])
}
