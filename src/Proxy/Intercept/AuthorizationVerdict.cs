namespace KeyEvt.Proxy.Intercept;

/// <summary>May an intercepted command run?</summary>
/// <param name="IsAllowed">Yes.</param>
/// <param name="AskUser">Not known yet: ask for the user's name.</param>
/// <param name="Refusal">No: the client's error line.</param>
internal readonly record struct Verdict(bool IsAllowed, bool AskUser, ReadOnlyMemory<byte> Refusal)
{
    public static Verdict Allowed => new(true, false, default);

    public static Verdict Ask => new(false, true, default);

    public static Verdict Refused(ReadOnlyMemory<byte> errorLine) => new(false, false, errorLine);
}
