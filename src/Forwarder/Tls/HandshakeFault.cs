using System.Security.Authentication;
using System.Text;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Tls;

/// <summary>
/// Why did a TLS handshake fail, if not because of the other side's certificate? Reads the other side's alert (RFC 8446, section 6) from the
/// library's text.
/// </summary>
public static class HandshakeFault
{
    /// <summary>A text with a remedy; null if the failure has nothing to do with TLS.</summary>
    public static string? Describe(Exception error, TlsFileNames files)
    {
        var all = new StringBuilder();
        var isTls = false;
        for (var e = error; e is not null; e = e.InnerException)
        {
            if (e is TlsFailedException) return e.Message;
            isTls |= e is AuthenticationException || e.Message.Contains("SSL", StringComparison.Ordinal);
            all.Append(e.Message).Append(' ');
        }
        var text = all.ToString();
        return Remedy(text, files) ?? (isTls ? $"TLS does not come about: {CleanText.Server(text.Trim())}" : null);
    }

    private static string? Remedy(string text, TlsFileNames files)
    {
        bool Says(string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);
        var shown = files.Certificate is { } certificate ? $"the client certificate of {files.Option}-cert ({certificate})" : "";
        var wanted = $"a client certificate is asked for there: give one with {files.Option}-cert and {files.Option}-key";
        if (Says("alert certificate required")) return wanted;
        if (Says("alert certificate expired")) return $"{shown} has expired, it is said there: renew it";
        if (Says("alert unknown ca")) return $"{shown} is refused there, because its authority is not known there";
        if (Says("alert bad certificate") || Says("alert unsupported certificate") || Says("alert certificate unknown") || Says("alert certificate revoked"))
        {
            return shown.Length > 0 ? $"{shown} is refused there" : wanted;
        }

        if (Says("alert handshake failure")) return shown.Length > 0 ? $"the handshake is refused there: perhaps {shown} is" : wanted;
        if (Says("alert protocol version") || Says("unsupported protocol") || Says("wrong version number"))
        {
            return "no TLS 1.2 or newer is spoken there";
        }

        if (Says("frame size") || Says("corrupted frame")) return "no TLS is spoken there: is it the port without TLS?";
        return Says("unexpected EOF") || Says("0 bytes from the transport stream") ? "the connection was closed in the middle of the TLS handshake: is it a port with TLS?" : null;
    }
}
