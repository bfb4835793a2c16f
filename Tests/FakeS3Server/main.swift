import FakeS3
