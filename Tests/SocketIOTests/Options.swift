import CLinux
import NetworkTypes

/// getsockopt(2) of an int.
func option(_ number: Int32, _ level: Int32, _ name: Int32) throws -> Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(number, level, name, &value, &length) == 0 else { throw Errno.current }
    return value
}
