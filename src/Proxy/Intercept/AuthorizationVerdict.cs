namespace KeyEvt.Proxy.Intercept;

/// <summary>May an intercepted command run?</summary>
/// <param name="IsAllowed">It may.</param>
/// <param name="AskUser">Not known yet: the user's name must be asked for.</param>
/// <param name="Refusal">If it may not: the error line for the client.</param>
internal readonly record struct Verdict(bool IsAllowed, bool AskUser, ReadOnlyMemory<byte> Refusal)
{
    public static Verdict Allowed => new(true, false, default);

    public static Verdict Ask => new(false, true, default);

    public static Verdict Refused(ReadOnlyMemory<byte> errorLine) => new(false, false, errorLine);
}
