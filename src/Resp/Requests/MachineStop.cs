// Why did the machine stop before the end of its span?
namespace KeyEvt.Resp.Requests;

/// <summary>Result of <see cref="RequestMachine.Advance"/>.</summary>
internal enum MachineStop
{
    /// <summary>The span has been read, or the request has ended.</summary>
    None,

    /// <summary>
    /// The name's length and its first 16 bytes are known, which is all that a filter sees. Returned once for each request that has a name; more than
    /// once for an inline line that servers split differently.
    /// </summary>
    NameKnown,

    /// <summary>The byte at the position is not allowed; <see cref="RequestMachine.Error"/> says why.</summary>
    Malformed,
}
