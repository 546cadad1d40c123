using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Options;

/// <summary>What is logged about files that are read again on SIGHUP? Event ids 3007, 3008, 3010, 3012, 3013.</summary>
internal static partial class ReloadLog
{
    [LoggerMessage(3007, LogLevel.Information, "Certificates of {Option}-* read again: {Certificate}; new connections use them")]
    public static partial void CertificatesReloaded(ILogger logger, string option, string certificate);

    [LoggerMessage(3008, LogLevel.Warning, "Certificates stay as they were: {Fault}")]
    public static partial void CertificatesKept(ILogger logger, string fault);

    [LoggerMessage(3010, LogLevel.Warning, "{Fault}; whoever is shown it will refuse it. Renew it, and send SIGHUP")]
    public static partial void CertificateInvalid(ILogger logger, string fault);

    [LoggerMessage(3012, LogLevel.Information, "The secret file {File} was read again: {What}")]
    public static partial void SecretReloaded(ILogger logger, string file, string what);

    [LoggerMessage(3013, LogLevel.Warning, "The secret stays as it was: the file {File}, {Fault}")]
    public static partial void SecretKept(ILogger logger, string file, string fault);
}
