import Testing

import Ops
import Server

struct DriftTests {
}
