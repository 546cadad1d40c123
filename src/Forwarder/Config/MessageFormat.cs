namespace KeyEvt.Forwarder.Config;

/// <summary>In which format is an event sent?</summary>
public enum MessageFormat
{
    /// <summary><c>&lt;db&gt;\n&lt;event&gt;\n&lt;key&gt;</c>, as redis-event-stream-module sends it.</summary>
    Text,

    /// <summary><c>{"db","event","key","node","time","id"}</c>. A key that is not UTF-8 is sent as <c>key_base64</c>.</summary>
    Json,

    /// <summary>CloudEvents 1.0, binary mode over AMQP 0.9.1: attributes as headers <c>ce-*</c>, the data as JSON.</summary>
    CloudEvents,
}
