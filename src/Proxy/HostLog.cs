using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace KeyEvt.Proxy;

/// <summary>What does the program itself say, and where do all logs go? Ids: 3000 host and admin.</summary>
internal static partial class HostLog
{
    /// <summary>One line a message on stderr, with UTC time; stdout is for the addresses alone.</summary>
    public static ILoggerFactory CreateFactory(LogLevel level) => new CleanLoggerFactory(LoggerFactory.Create(logging => logging
        .SetMinimumLevel(level)
        // Of the web server of the admin pages only what goes wrong; that it could not start is told by the program itself.
        .AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning)
        .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        })
        .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace)));

    [LoggerMessage(3000, LogLevel.Information, "Started: keyevt {Version}, instance {Instance}, upstream {Upstream}, broker {Broker}, admin {Admin}")]
    public static partial void Started(ILogger logger, string version, string instance, string upstream, string broker, string admin);

    [LoggerMessage(3001, LogLevel.Information, "Stopping on {Signal}")]
    public static partial void Stopping(ILogger logger, string signal);

    [LoggerMessage(3002, LogLevel.Information, "Stopped: every event is confirmed, stored or counted")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(3006, LogLevel.Warning, "Stopped: {Events} events could be neither confirmed nor stored in time and are lost")]
    public static partial void StoppedWithLoss(ILogger logger, long events);

    [LoggerMessage(3011, LogLevel.Warning, "{Exposure}")]
    public static partial void FileExposed(ILogger logger, string exposure);

    [LoggerMessage(3003, LogLevel.Critical, "The {Part} has ended by itself; the program stops, so that it is started again")]
    public static partial void PartEnded(ILogger logger, string part, Exception? exception);

    [LoggerMessage(3004, LogLevel.Critical, "Stopping takes longer than {Seconds} seconds; the program ends without waiting further")]
    public static partial void StopOverdue(ILogger logger, double seconds);

    [LoggerMessage(3005, LogLevel.Error, "Stopping {Part} failed")]
    public static partial void StopFailed(ILogger logger, string part, Exception exception);

    [LoggerMessage(3009, LogLevel.Error, "Stopping {Part} takes longer than {Seconds} seconds; it is not waited for")]
    public static partial void PartOverdue(ILogger logger, string part, double seconds);
}
