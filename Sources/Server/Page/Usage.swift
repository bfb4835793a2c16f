import UploadCore

/// What `curl host` prints.
enum Usage {
  static func text(origin: String, policy: UploadPolicy, shortURL: Bool, password: Bool) -> String {
    let auth = password ? " -H \"Authorization: PASSWORD\"" : ""
    let short =
      shortURL
      ? """

      Short URL / 短链接:
        curl\(auth) \(origin)/short/ -T file.txt

      """ : ""
    return """
      bashupload: upload a file, get a link that works once
      bashupload:上传文件,得到只能下载一次的链接

      Upload / 上传:
        curl\(auth) \(origin) -T file.txt
        tar cz folder | curl\(auth) -T - \(origin)/folder.tar.gz
        curl\(auth) -F file=@a.txt -F file=@b.txt \(origin)
        echo text | curl\(auth) --data-binary @- \(origin)

      Several downloads / 多次下载:
        curl\(auth) -H "X-Max-Downloads: 3" \(origin) -T file.txt
        curl\(auth) -H "X-Expiration-Seconds: 3600" \(origin) -T file.txt
      \(short)
      Download / 下载:
        curl\(auth) -OJ URL

      Delete / 删除 (X-Delete-Token is in the answer's header, curl -i / 令牌在响应头中):
        curl\(auth) -X DELETE -H "X-Delete-Token: TOKEN" URL

      Limits / 限制: \(policy.maxUploadSize) a file; kept \(Duration.seconds(policy.maxAge).inWords), or up to \
      \(Duration.seconds(policy.maxAgeForMultidownload).inWords) with X-Expiration-Seconds.
      JSON: -H "Accept: application/json"

      """
  }
}

extension Duration {
  /// "1 hour", "90 minutes", "45 seconds": the largest unit that divides it.
  var inWords: String {
    let seconds = components.seconds
    for (unit, length) in [("day", Int64(86_400)), ("hour", 3_600), ("minute", 60)]
    where seconds >= length && seconds % length == 0 {
      return "\(seconds / length) \(unit)\(seconds == length ? "" : "s")"
    }
    return "\(seconds) second\(seconds == 1 ? "" : "s")"
  }
}
