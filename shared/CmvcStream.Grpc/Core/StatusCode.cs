namespace Grpc.Core;

/// <summary>The outcome of a call, with the numbers that gRPC puts on the wire (grpc/grpc doc/statuscodes.md).</summary>
public enum StatusCode
{
    /// <summary>Success.</summary>
    OK = 0,

    /// <summary>Cancelled, typically by the caller.</summary>
    Cancelled = 1,

    /// <summary>No better code is known: a handler threw, or the peer did not say.</summary>
    Unknown = 2,

    /// <summary>The request is wrong whatever the state of the system.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed before the call ended.</summary>
    DeadlineExceeded = 4,

    /// <summary>What was asked for does not exist.</summary>
    NotFound = 5,

    /// <summary>What was to be created exists.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A quota or a message size limit is exceeded.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is not in the state that the operation needs.</summary>
    FailedPrecondition = 9,

    /// <summary>Aborted, for example by a conflict; a retry at a higher level may succeed.</summary>
    Aborted = 10,

    /// <summary>Past the valid range.</summary>
    OutOfRange = 11,

    /// <summary>The service, the method or the message encoding is not implemented.</summary>
    Unimplemented = 12,

    /// <summary>The protocol was violated, or an invariant is broken.</summary>
    Internal = 13,

    /// <summary>The peer cannot be reached now; a retry may succeed.</summary>
    Unavailable = 14,

    /// <summary>Data was lost beyond recovery.</summary>
    DataLoss = 15,

    /// <summary>The caller has not said who it is.</summary>
    Unauthenticated = 16,
}
