using KeyEvt.Forwarder.Text;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy;

/// <summary>Can anybody write a line of our log? No: whatever a message holds (an exchange's name, a broker's words, the text of an exception), it stays one clean line.</summary>
internal sealed class CleanLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new CleanLogger(inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    public void Dispose() => inner.Dispose();

    private sealed class CleanLogger(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        /// <summary>The exception's text is part of the line: what writes the line would write it as it is.</summary>
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var text = formatter(state, exception);
            var line = CleanText.Line(exception is null ? text : $"{text} {exception}");
            inner.Log(logLevel, eventId, line, null, static (said, _) => said);
        }
    }
}
