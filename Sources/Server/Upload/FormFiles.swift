import NIOCore
import NIOHTTP1
import Synchronization

/// The files of forms that wait for the end of their form: each holds a descriptor, and none is shown before all are there.
///
/// Of all forms together there are `capacity`. When no place is left, the form that has been under way for longest is ended:
/// who begins forms and does not end them keeps nobody else from sending one.
final class FormFiles: Sendable {
  /// Files of all forms that wait at one time.
  static let capacity = 1000
  /// No form is ended for another that is younger than this.
  private static let grace = TimeAmount.seconds(2)

  /// One form.
  struct Place: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  private struct Form {
    var files = 0
    let start = NIODeadline.now()
    let abort: @Sendable () -> Void
  }

  private struct State {
    var forms: [UInt64: Form] = [:]
    var lastNumber: UInt64 = 0
    var files = 0
  }

  private let state = Mutex(State())
  private let capacity: Int

  init(capacity: Int = FormFiles.capacity) {
    self.capacity = capacity
  }

  /// - Parameter abort: ends the form's connection; from any task.
  func begin(_ abort: @escaping @Sendable () -> Void) -> Place {
    state.withLock { state in
      state.lastNumber += 1
      state.forms[state.lastNumber] = Form(abort: abort)
      return Place(number: state.lastNumber)
    }
  }

  /// One more file of a form waits.
  ///
  /// - Throws: `Failure` 503 when there is no place.
  func add(to place: Place) throws(Failure) {
    let ended: Form? = try state.withLock { state throws(Failure) in
      // Ended for another form a moment ago.
      guard state.forms[place.number] != nil else { throw Self.full }
      var ended: Form?
      if state.files >= capacity {
        let now = NIODeadline.now()
        let oldest = state.forms.filter { $0.value.files > 0 }.min { $0.value.start < $1.value.start }
        guard let oldest, oldest.key != place.number, now - oldest.value.start >= Self.grace else { throw Self.full }
        // Its descriptors go within the moment that its task takes to end.
        ended = oldest.value
        state.files -= oldest.value.files
        state.forms[oldest.key] = nil
      }
      state.forms[place.number]?.files += 1
      state.files += 1
      return ended
    }
    ended?.abort()
  }

  /// The form is stored, or has failed.
  func end(_ place: Place) {
    state.withLock { state in
      guard let form = state.forms.removeValue(forKey: place.number) else { return }
      state.files -= form.files
    }
  }

  private static let full = Failure(
    .serviceUnavailable, code: "too-many-forms",
    "\(capacity) files of unfinished forms are waiting, which is the limit: try again in a moment, or use curl -T file",
    retryAfter: 5)
}
