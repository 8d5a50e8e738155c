// A small store on this device (IndexedDB): what was written without a connection, and what was last seen with one.
const NAME = 'gridhub'
const STORES = ['outgoing', 'seen'] as const
export type Store = (typeof STORES)[number]

let opened: Promise<IDBDatabase> | null = null

function database(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1)
    asked.onupgradeneeded = () => { for (const store of STORES) asked.result.createObjectStore(store) }
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error ?? new Error('IndexedDB'))
  }).catch((error: unknown) => {
    opened = null
    throw error
  })
  return opened
}

async function within<T>(store: Store, mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await database()
  return new Promise<T>((resolve, reject) => {
    const transaction = db.transaction(store, mode)
    const asked = run(transaction.objectStore(store))
    // Only once it is committed is it kept.
    transaction.oncomplete = () => resolve(asked.result)
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB'))
  })
}

export const keep = async (store: Store, key: string, value: unknown): Promise<void> => void (await within(store, 'readwrite', (s) => s.put(value, key)))
export const drop = async (store: Store, key: string): Promise<void> => void (await within(store, 'readwrite', (s) => s.delete(key)))
export const clear = async (store: Store): Promise<void> => void (await within(store, 'readwrite', (s) => s.clear()))
export const read = <T>(store: Store, key: string): Promise<T | undefined> => within<T | undefined>(store, 'readonly', (s) => s.get(key) as IDBRequest<T | undefined>)
export const readAll = <T>(store: Store): Promise<T[]> => within<T[]>(store, 'readonly', (s) => s.getAll() as IDBRequest<T[]>)
