import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Reachability
import StrictJSON
import Testing

@Suite struct VerdictMatrixTests {
    @Test func cellsShowTheVerdictAndEqualPortsShareAColumn() throws {
        let read = try policy(
            """
            version: 1
            rules:
              - {name: a, to: [10.2.0.0/31], ports: ["8000-8003"], expect: allowed}
              - {name: b, to: [10.2.0.0/31], ports: [22], expect: blocked}
              - {name: c, to: ["tls://10.2.0.0:443", "unix:/run/a.sock"], expect: open}
            """)
        let matrix = VerdictMatrix(
            verified(read) { tested in
                switch (tested.destination, tested.port?.number) {
                case ("10.2.0.0", 22): .deadline()
                case ("10.2.0.1", 22): .connected
                case (_, 8003): .errno("ENETUNREACH")
                case _: .connected
                }
            })
        #expect(
            matrix.lines == [
                "                  22  443  8000-8002  8003  path",
                "10.2.0.0           x    .          .     ?",
                "10.2.0.1           !               .     ?",
                "unix:/run/a.sock                               .",
            ])
    }
}
