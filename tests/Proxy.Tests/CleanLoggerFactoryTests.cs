using Microsoft.Extensions.Logging;
using Xunit;

namespace KeyEvt.Proxy.Tests;

/// <summary>Can somebody else's text write a line of our log?</summary>
public sealed class CleanLoggerFactoryTests
{
    [Fact]
    public void A_message_and_its_exception_are_one_clean_line()
    {
        var lines = new List<string>();
        using var provider = new Recorder(lines);
        using var loggers = new CleanLoggerFactory(LoggerFactory.Create(logging => logging.AddProvider(provider)));
        var logger = loggers.CreateLogger("any");
        logger.Log(LogLevel.Warning, "the broker says \u001b[2J{Words}", "no\r\n2026-11-29T09:00:00Z crit: all is lost\0");
        logger.Log(LogLevel.Error, new InvalidOperationException("first\nsecond\u001b[31m"), "it failed");
        Assert.Equal(["the broker says  [2Jno  2026-11-29T09:00:00Z crit: all is lost ", "it failed System.InvalidOperationException: first second [31m"], lines);
    }

    /// <summary>As a console would write it.</summary>
    private sealed class Recorder(List<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Add(formatter(state, exception) + exception);

        public void Dispose()
        {
            // nothing is held
        }
    }
}
