namespace KeyEvt.Forwarder.Redis;

/// <summary>
/// Nothing that makes sense came from a <c>redis://</c> address: is it a port with TLS? Such a port takes a command for a broken handshake: Redis resets the connection without a byte, others
/// send an alert, which is a TLS record (RFC 8446, section 5.1).
/// </summary>
internal static class PlainFault
{
    public const string Question = "is it the port with TLS? Then write rediss:// instead of redis://";

    private const byte Alert = 21;

    /// <param name="first">The first byte that came.</param>
    public static bool IsTls(byte first) => first == Alert;

    /// <summary>The question behind what has happened, where it makes sense.</summary>
    /// <param name="hasAnswered">Something of Redis came before.</param>
    public static string Explain(string what, RedisAddress address, bool hasAnswered) =>
        hasAnswered || address.IsTls || address.Path is not null ? what : $"{what}, before it had answered anything: {Question}";
}
