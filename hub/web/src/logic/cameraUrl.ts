// Addresses of streams as makers of cameras have them; to be tried with a look. Pure.
export interface Template { id: string; name: string; url: string; watch: 'stay' | 'patrol' | 'snapshot' }
export interface Blanks { host: string; port: string; user: string; password: string; channel: string }

/** `{auth}`, `{host}`, `{port}`, `{channel}` are filled in; `{port:554}` has a default. */
export const TEMPLATES: Template[] = [
  { id: 'hikvision', name: '海康 Hikvision', url: 'rtsp://{auth}{host}:{port:554}/Streaming/Channels/{channel}01', watch: 'stay' },
  { id: 'hikvision-sub', name: '海康 Hikvision 子码流', url: 'rtsp://{auth}{host}:{port:554}/Streaming/Channels/{channel}02', watch: 'stay' },
  { id: 'dahua', name: '大华 Dahua', url: 'rtsp://{auth}{host}:{port:554}/cam/realmonitor?channel={channel}&subtype=0', watch: 'stay' },
  { id: 'dahua-sub', name: '大华 Dahua 子码流', url: 'rtsp://{auth}{host}:{port:554}/cam/realmonitor?channel={channel}&subtype=1', watch: 'stay' },
  { id: 'uniview', name: '宇视 Uniview', url: 'rtsp://{auth}{host}:{port:554}/media/video{channel}', watch: 'stay' },
  { id: 'axis', name: 'Axis', url: 'rtsp://{auth}{host}:{port:554}/axis-media/media.amp?camera={channel}', watch: 'stay' },
  { id: 'hikvision-jpeg', name: '海康 Hikvision JPEG', url: 'http://{auth}{host}:{port:80}/ISAPI/Streaming/channels/{channel}01/picture', watch: 'snapshot' },
  { id: 'dahua-jpeg', name: '大华 Dahua JPEG', url: 'http://{auth}{host}:{port:80}/cgi-bin/snapshot.cgi?channel={channel}', watch: 'snapshot' },
]

export function filled(template: Template, blanks: Blanks): string {
  const auth = blanks.user ? `${encodeURIComponent(blanks.user)}:${encodeURIComponent(blanks.password)}@` : ''
  return template.url
    .replace('{auth}', auth)
    .replace('{host}', blanks.host.trim())
    .replace(/\{port:(\d+)\}/, (_, usual: string) => blanks.port.trim() || usual)
    .replaceAll('{channel}', blanks.channel.trim() || '1')
}
