using KeyEvt.Forwarder.Files;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Options;

/// <summary>Which passwords and tokens are read again at SIGHUP? All that came from files. New logins use what the files hold by then.</summary>
internal static class SecretFiles
{
    public static void Reload(IEnumerable<Secret> secrets, ILogger logger)
    {
        foreach (var secret in secrets)
        {
            try
            {
                ReloadLog.SecretReloaded(logger, secret.File!, secret.Reload() ? "new logins use what it holds now" : "it holds the same as before");
            }
            catch (IOException e)
            {
                ReloadLog.SecretKept(logger, secret.File!, e.Message);
            }
        }
    }
}
