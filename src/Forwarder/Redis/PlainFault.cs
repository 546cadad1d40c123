namespace KeyEvt.Forwarder.Redis;

/// <summary>
/// Does a <c>redis://</c> address, from which nothing sensible came, name a port with TLS? Such a port takes a command for a broken handshake. Redis
/// then resets the connection without a byte. Other servers send an alert, which is a TLS record (RFC 8446, section 5.1).
/// </summary>
internal static class PlainFault
{
    public const string Question = "is it the port with TLS? Then write rediss:// instead of redis://";

    private const byte Alert = 21;

    /// <param name="first">The first byte that was received.</param>
    public static bool IsTls(byte first) => first == Alert;

    /// <summary>Appends the question about TLS to a text, if it makes sense.</summary>
    /// <param name="hasAnswered">Whether an answer of Redis came before.</param>
    public static string Explain(string what, RedisAddress address, bool hasAnswered) =>
        hasAnswered || address.IsTls || address.Path is not null ? what : $"{what}, before it had answered anything: {Question}";
}
