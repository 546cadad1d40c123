// Why did the machine stop inside its span?
namespace KeyEvt.Resp.Requests;

/// <summary>Why <see cref="RequestMachine.Advance"/> returned in front of the end of its span.</summary>
internal enum MachineStop
{
    /// <summary>The span is used up, or the request has ended.</summary>
    None,

    /// <summary>As much of the command name is known as a filter may see. Said once for each request that has a name.</summary>
    NameKnown,

    /// <summary>The byte at the position is not allowed; <see cref="RequestMachine.Error"/> says why.</summary>
    Malformed,
}
