import CoveyControl
import CoveyCore
import CoveyNode
import CoveyQR
import CoveyStore
import CoveyUV

/// Something a person can put right: one clear line, what to do next, and the exit status a script can tell by.
struct Complaint: Error, Equatable, CustomStringConvertible {
    /// As in `sysexits.h`.
    enum Status: Int32 {
        /// Refused or failed.
        case failed = 1
        /// The device is locked by order.
        case locked = 3
        /// The device was erased by order.
        case erased = 4
        case usage = 64
        /// No node answers at the socket.
        case noNode = 69
        case cannotCreate = 73
        case io = 74
        case tryAgain = 75
        case permission = 77
    }

    let status: Status
    let description: String

    init(_ status: Status, _ description: String) {
        self.status = status
        self.description = description
    }

    /// What another room found, with the status a script is told.
    init(_ error: any Error) {
        switch error {
        case let complaint as Complaint:
            self = complaint
        case let failure as HomeDirectory.Failure:
            let status: Status =
                switch failure {
                case .running: .tryAgain
                case .exposed, .foreign: .permission
                case .io: .cannotCreate
                }
            let advice =
                status == .tryAgain ? " on this home; stop it first, or name another directory with --home" : ""
            self.init(status, failure.description + advice)
        case let failure as DeviceKeyFile.Failure:
            let status: Status =
                switch failure {
                case .missing, .damaged, .newer: .failed
                case .exposed: .permission
                case .exists: .cannotCreate
                case .io: .io
                }
            self.init(status, failure.description)
        case let failure as DriverFailure:
            let status: Status =
                switch failure.kind {
                case .cannotCreate: .cannotCreate
                case .permission: .permission
                case .alreadyRunning: .tryAgain
                case .system: .io
                }
            self.init(status, failure.description)
        case let failure as StoreError:
            self = Self.of(failure)
        case let failure as ControlClientError:
            let status: Status =
                switch failure {
                case .noNode: .noNode
                case .pathTooLong: .usage
                case .permission: .permission
                case .closed, .timedOut: .tryAgain
                case .garbled: .failed
                case .system: .io
                }
            self.init(status, failure.description)
        case let refusal as ControlError:
            self.init(refusal.kind == .unavailable ? .tryAgain : .failed, "\(refusal.message); \(refusal.hint)")
        default:
            self.init(.failed, "\(error)")
        }
    }

    private static func of(_ failure: StoreError) -> Complaint {
        switch failure {
        case .full: Complaint(.io, "the disk is full; make room and start again: nothing that was acknowledged is lost")
        case .locked: Complaint(.tryAgain, "another process holds the store; try again when it has ended")
        case .damaged(let text), .newer(let text): Complaint(.failed, text)
        case .permission(let text):
            Complaint(.permission, "\(text); check the owner and mode of it and its directory")
        case .io(let text): Complaint(.io, text)
        }
    }

    /// Puts the name of the file before what is wrong with it.
    static func about<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as CoveyFileError {
            throw Complaint(.failed, "\(path): \(error)")
        } catch let refusal as CodeRefusal {
            throw Complaint(.failed, "\(path): \(refusal)")
        } catch let fault as ImageFault {
            throw Complaint(.failed, "\(path): \(fault)")
        } catch let cause as Malformed {
            throw Complaint(.failed, "\(path): \(CoveyFileError(cause))")
        }
    }
}
